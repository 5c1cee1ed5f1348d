// Bench measures Flyball against what the machine can do at best, and prints a
// table. `make bench` runs it; the figures go to benchmarks/out/bench.json.
//
// # Aggregate against the floor
//
// A broker in a process of its own holds a topic of spans: OTLP, 100 spans per
// record, zstd, several partitions. Two programs then read all of it by turns,
// each time in a new process:
//
//   - the floor: as many Kafka clients as aggregate has workers, the same fetch
//     settings and memory pools, and the leanest loop that can still say how
//     many requests each service and route had, how many failed and how long
//     they took (walk.go, floor.go). It skips every field it does not need,
//     trusts the bytes, interns nothing, knows no panes, no histograms, no
//     watermarks and no limits, and commits nothing;
//   - aggregate: the role itself, as `flyball run --roles=aggregate` runs it:
//     group membership, transactions at the default interval, requests by
//     service and route with errors and a duration histogram in panes of 10 s,
//     sent to 8 partitions.
//
// What is compared is the processor time that each process used per span (user
// and system), because the broker and the rest of the machine disturb that much
// less than the clock. The medians over the rounds make the ratio. Both results
// are checked: floor and panes must hold the same requests, failures and
// durations as were written.
//
// # Panes against input
//
// The bytes of the panes are those of the same rounds: what the clients of the
// generator and of aggregate produced, compressed, without the headers of record
// batches. Panes
// are written per transaction, so their share depends on how many samples one
// holds: it is lowest when aggregate catches up, as in the rounds. A last round
// therefore feeds aggregate at a steady rate, as in production, and tells the
// share there.
//
// # Record against the bare client
//
// See package record.
package main
