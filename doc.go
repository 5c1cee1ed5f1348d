// Package flyball holds the vocabulary of Flyball, the governor for production
// systems: the types that its stages hand to each other and that its topics,
// tables and files carry.
//
// Telemetry flows through four stages, each a folder of its own, and one folder
// that wires them:
//
//	ingest      Kafka records → samples, as Arrow columns
//	processors  samples → partial panes → windows → SLOs → decisions; pure state machines
//	detectors   windows and SLOs → findings
//	sinks       Kafka topics, ClickHouse tables, notifications
//	internal/pipeline  the one transactional loop that drives them all
//
// This package imports the standard library only, does no I/O, starts no
// goroutine and reads no clock: time is event time, carried by [Time].
package flyball
