// Package slo keeps the counts of error budgets: total and bad samples over
// sliding windows and over periods of the calendar, in integers.
//
// # Rings
//
// A Tracker counts every pane into up to three rings of slices:
//
//   - fine: one slice per pane, for windows of up to 2,160 panes (6 h of 10 s);
//   - middle, if a burn-rate window is longer: slices of 1/1440 of the longest
//     window, rounded up to panes so that the long windows are whole slices (3 min
//     for 3 d);
//   - coarse, for the period: slices of 1/720 of it (1 h of 30 d).
//
// A window is counted in the finest ring that reaches back far enough. Its later
// edge is always exact: what lies after the last whole slice comes from the finer
// rings. Its earlier edge is exact in the fine ring, and elsewhere whenever it
// falls between two slices: at every multiple of the ring's slice. In between, a
// part of the slice that it cuts is counted, as long as the window is, rounded up.
// So the error is nothing at the edges of slices, nothing anywhere for traffic
// that is steady over one slice (a total outage after good days fires in the very
// pane that the closed form says), and never more than that slice holds: 1/1440 of
// a ticket's window, 1/720 of the period. An exact tracker has one ring with a
// slice per pane, and no such error; it is for replays, where memory is no matter.
//
// Budgets of calendar periods are two sums per period, exact to the pane; a coarse
// ring beside them tells what exclusions take out.
//
// # Exclusions
//
// What is excluded stays counted, and is subtracted when sums are asked for: from
// the finest ring that still reaches back to it. So an exclusion may be given, moved
// or taken back afterwards. It is exact in the fine ring, and elsewhere where it
// begins and ends between two slices of the ring (the full hour, over 30 days);
// otherwise the slice that its edge cuts counts by the share of its time.
//
// # Chunks
//
// Slices are kept in encoded chunks of 64, each with the sum of all before it. So
// any window costs two look-ups per ring, a budget of 30 days over 10 s panes
// takes less than 32 KiB, and a change rewrites one chunk per ring of the durable
// state and not all of it.
package slo
