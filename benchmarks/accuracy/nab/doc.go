// Command nab measures how well the default anomaly detectors do: on the Numenta
// Anomaly Benchmark, on a long synthetic series, and on the simulated shop; how
// close observed false alarms are to those that were accepted; and what a point
// costs.
//
// The benchmark's data are read from the folder that FLYBALL_SHARED names. Two
// results are told and never mixed: "strict" knows nothing but the past of a
// series, which is the default of flyball detect; "declared range" is also told
// the smallest and largest value of the whole file, as the harness of the
// benchmark tells every detector on its leaderboard.
//
// It prints tables and writes benchmarks/out/nab.json.
package main
