//go:build !unix

package machine

import "time"

// ProcessorTime stops a benchmark: without it there is nothing to compare.
func ProcessorTime() time.Duration {
	panic("cannot measure processor time on this system")
}

// PeakMemory is not known here.
func PeakMemory() int64 { return 0 }
