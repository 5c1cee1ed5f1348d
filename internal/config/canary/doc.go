// Package canary compiles the documents of kind Canary.
package canary
