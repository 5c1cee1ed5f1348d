//go:build unix

package machine

import (
	"runtime"
	"syscall"
	"time"
)

// ProcessorTime is what this process has used of the processors so far, user and system.
func ProcessorTime() time.Duration {
	u := usage()
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// PeakMemory is the largest resident size of this process, in bytes.
func PeakMemory() int64 {
	unit := int64(1024) // Linux counts in kilobytes
	if runtime.GOOS == "darwin" {
		unit = 1
	}
	return int64(usage().Maxrss) * unit
}

func usage() syscall.Rusage {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic("BUG: a process cannot read its own usage: " + err.Error())
	}
	return u
}
