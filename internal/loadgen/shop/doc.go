// Package shop simulates a microservice shop in event time and encodes its spans as OTLP.
//
// It is pure. A [Shop] is a function of its seed and configuration: [Shop.Next] takes event time as an
// input, reads no clock, and gives the same spans whatever the steps it is driven with. On one CPU
// architecture the same seed gives the same bytes; across architectures the last bit of a latency may
// differ because math functions may.
//
// Requests arrive as a Poisson process and walk the call graph: every operation draws its own lognormal
// time and its own failure, waits for its calls, and passes on the failures of those it needs. An
// [Incident] changes the draws of one service, and its callers feel it the way real callers do.
package shop
