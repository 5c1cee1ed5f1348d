// Package metrics decodes formats whose samples are data points of metrics.
package metrics
