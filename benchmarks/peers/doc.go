// Peers runs the same job on Flyball and on other stream processors, side by side in
// one run, and prints what each needs for it. `make bench-peers` runs it; the figures
// go to benchmarks/out/peers.json. docs/performance.md says what came of it.
//
// # The job
//
// A topic of an Apache Kafka holds OTLP spans in protobuf, 100 per record, zstd, by
// turns on several partitions, as an OpenTelemetry Collector writes them. Wanted are, for
// each service and route and each 10 s of event time, the number of requests, of
// failures, the sum of the durations and their histogram (2^(1/32) between the edges of
// its buckets), on another topic, exactly once.
//
// # The measurement
//
// Apache Kafka has one core and each engine, by turns, another, by taskset; nothing else
// runs. The whole input is there before the first engine starts, so that each reads as
// fast as it can. An engine's progress is what it has committed, as the broker knows it:
// the same for all, and nothing that is not done counts. What is compared is spans per
// second of the engine's own processor time, user and system, from its first
// commit on, so that starting, joining groups and loading classes is left out, until it
// has read everything, the results are out and the process is idle; one that takes longer
// than -limit is measured on what it has done by then. The second half is
// told by itself, because machines that compile while they run get faster.
//
// The results of all engines are compared with those of Flyball, number by number and
// bucket by bucket.
package main
