package chaos

import (
	"math/rand/v2"
	"time"
)

// Kind is what a fault does.
type Kind string

// The kinds of faults. The first six change who is a member of the groups; they
// follow one another, each when the one before has been got over. The others
// happen meanwhile.
const (
	// Kill ends a process with SIGKILL; another is started in its place.
	Kill Kind = "kill -9"
	// Freeze stops a process with SIGSTOP until others have its partitions, and wakes it.
	Freeze Kind = "freeze beyond session"
	// Leave stops a process in order.
	Leave Kind = "leave"
	// Join starts one more process.
	Join Kind = "join"
	// BrokerStop restarts the broker in order.
	BrokerStop Kind = "broker restart"
	// BrokerKill kills the broker and starts it again.
	BrokerKill Kind = "broker kill -9"
	// Cut closes all connections of a process.
	Cut Kind = "connections cut"
	// Hold lets nothing through between a process and the broker for a while, and
	// delivers it then.
	Hold Kind = "network held"
	// Slow delays every message between a process and the broker.
	Slow Kind = "slow broker"
	// Pause stops a process with SIGSTOP for less than its session.
	Pause Kind = "pause"
)

// Kinds lists the kinds of faults.
func Kinds() []Kind {
	return []Kind{Kill, Freeze, Leave, Join, BrokerStop, BrokerKill, Cut, Hold, Slow, Pause}
}

// slots is how many processes there are at most; least is how many at least.
const (
	slots = 4
	least = 2
	first = 3 // at the start
)

// fault is one of a plan.
type fault struct {
	kind Kind
	// slot is the process that it happens to.
	slot int
	// gap is how long to wait before.
	gap time.Duration
	// lasts is how long it goes on, beyond the session timeout for Freeze.
	lasts time.Duration
	// delay is that of every message, for Slow.
	delay time.Duration
}

// plan is the faults of a run, in two queues that are worked off side by side.
type plan struct {
	members []fault // Kill to BrokerKill
	light   []fault
}

// membersShare is the share of faults that change members: they take longest.
const membersShare = 0.22

func newPlan(seed uint64, faults int) plan {
	r := rand.New(rand.NewPCG(seed, 0xf1b))
	between := func(low, high time.Duration) time.Duration { return low + time.Duration(r.Int64N(int64(high-low))) }
	running := [slots]bool{}
	for i := range first {
		running[i] = true
	}
	pick := func(want bool) int {
		for {
			if i := r.IntN(slots); running[i] == want {
				return i
			}
		}
	}
	var p plan
	for range faults {
		if r.Float64() >= membersShare {
			f := fault{kind: []Kind{Cut, Cut, Cut, Hold, Slow, Pause}[r.IntN(6)], slot: r.IntN(slots), gap: between(0, 2*time.Second)}
			switch f.kind {
			case Hold, Pause:
				f.lasts = between(50*time.Millisecond, 2*time.Second)
			case Slow:
				f.lasts, f.delay = between(time.Second, 4*time.Second), between(10*time.Millisecond, 150*time.Millisecond)
			}
			p.light = append(p.light, f)
			continue
		}
		f := fault{kind: memberKind(r, running), gap: between(0, time.Second)}
		switch f.kind {
		case Join:
			f.slot = pick(false)
			running[f.slot] = true
		case Leave:
			f.slot = pick(true)
			running[f.slot] = false
		case Freeze:
			f.slot, f.lasts = pick(true), between(time.Second, 3*time.Second)
		case Kill:
			f.slot = pick(true)
		case BrokerKill, BrokerStop:
		}
		p.members = append(p.members, f)
	}
	return p
}

// memberKind draws a kind that is possible.
func memberKind(r *rand.Rand, running [slots]bool) Kind {
	n := 0
	for _, up := range running {
		if up {
			n++
		}
	}
	switch x := r.IntN(20); {
	case x < 8:
		return Kill
	case x < 10:
		return Freeze
	case x < 12:
		return BrokerStop
	case x < 14:
		return BrokerKill
	case n == slots, n > least && x%2 == 0:
		return Leave
	}
	return Join
}
