// Package crash holds the crash tests: the real roles against an embedded broker,
// in virtual time, while processes are killed, cut off and held up at every
// request that they send or get an answer to. What they come to must be what a
// run without faults comes to: every sample counted once, every window right,
// every decision made and every command sent once.
//
// Plans of faults follow from a seed. CRASH_SEEDS=n runs n of them instead of the
// few that a normal test run takes, CRASH_SEED=n runs that one alone. Time is
// virtual, but the order in which goroutines run is not seeded: a seed that failed
// may need a few runs to fail again.
package crash
