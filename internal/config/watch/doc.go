// Package watch turns documents of kind Detector into the detectors that evaluate
// works with, and detectors into documents.
package watch
