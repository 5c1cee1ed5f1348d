// Command canary measures how often the canary judges are right: false fails of
// canaries that are the same as their baseline, and regressions found, on simulated
// data with fixed seeds. Both judges see the same data. Sixty panes of a minute per
// arm; the sequential judge looks after every one, Kayenta's once, at the end.
//
// Rows with equal arms know nothing from before the canary. Rows "before" know what
// the baseline counted in the hours before as well, and stand beside them.
//
// It prints a table and writes benchmarks/out/canary.json.
package main
