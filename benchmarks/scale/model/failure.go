package model

import "time"

// Failure is what happens when a member of aggregate dies.
type Failure struct {
	// Behind is how far windows are behind at most, Recovered how long after the death
	// nothing is behind any more; it is 0 when that never happens.
	Behind, Recovered time.Duration
}

// Group is how the group finds out.
type Group struct {
	// Session is after how long without a heartbeat a member is gone, and Rebalance how
	// long it takes the others to have its partitions.
	Session, Rebalance time.Duration
	// Overhead is the share of the time that a transaction's end takes.
	Overhead float64
}

// DefaultGroup is that of the defaults; Overhead as with Kafka on the same machine.
func DefaultGroup() Group {
	return Group{Session: 15 * time.Second, Rebalance: 3 * time.Second, Overhead: 0.05}
}

// horizon is how long a failure is followed.
const horizon = time.Hour

// Kill simulates the death of so many of the plan's aggregate members at once, partition
// by partition and transaction by transaction. Windows wait for the partition that is
// furthest behind, so that is what is told.
func (p *Plan) Kill(dead int, c Costs, g Group) Failure {
	tick := p.Load.Commit.Seconds()
	alive := p.Aggregate - dead
	capacity := (1 - g.Overhead) * tick * 1e9 / (c.AggregateNs + c.RowNs*p.Rows/p.Load.Samples) // of a member and tick
	in := p.Load.Samples * tick / float64(p.Sources)
	backlog := make([]float64, p.Sources)
	owner := make([]int, p.Sources)
	for i := range owner {
		owner[i] = i % p.Aggregate
	}
	moved := (g.Session + g.Rebalance).Seconds()
	var f Failure
	for step := 1; float64(step)*tick <= horizon.Seconds(); step++ {
		now := float64(step) * tick
		if now-tick < moved && now >= moved { // the others have them now
			next := 0
			for i, m := range owner {
				if m < dead && alive > 0 {
					owner[i] = dead + next%alive
					next++
				}
			}
		}
		left := make([]float64, p.Aggregate)
		for m := range left {
			if m >= dead {
				left[m] = capacity
			}
		}
		for i := range backlog {
			backlog[i] += in
		}
		worst := drain(backlog, owner, left, in) * tick
		f.Behind = max(f.Behind, time.Duration(worst*float64(time.Second)))
		if worst <= 2*tick && now >= moved {
			f.Recovered = time.Duration(now * float64(time.Second))
			return f
		}
	}
	return f
}

// drain lets every member read, the partition that is furthest behind first, and returns
// how many ticks the worst is behind.
func drain(backlog []float64, owner []int, left []float64, in float64) (worst float64) {
	// What a member can read is shared so that its partitions end up equally far behind:
	// maxDrift has that effect.
	total, n := make([]float64, len(left)), make([]int, len(left))
	for i, m := range owner {
		total[m] += backlog[i]
		n[m]++
	}
	for i, m := range owner {
		level := max(total[m]-left[m], 0) / float64(n[m])
		if left[m] > 0 {
			backlog[i] = level
		}
		worst = max(worst, backlog[i]/in)
	}
	return worst
}
