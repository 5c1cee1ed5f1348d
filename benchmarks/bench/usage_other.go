//go:build !unix

package main

import "time"

// cpuTime stops the benchmark: without it there is nothing to compare.
func cpuTime() time.Duration {
	panic("cannot measure processor time on this system")
}

// peakMemory is not known here.
func peakMemory() int64 { return 0 }
