// Package e2e holds the end-to-end tests: telemetry goes in by Kafka, and what
// comes out of the result topics and of ClickHouse is compared with what is true.
//
// There is one suite with two backends. By default each test starts an embedded
// broker; with FLYBALL_TEST_KAFKA=1 all of them run against one Apache Kafka.
// ClickHouse is the embedded engine. Every test has topics, groups and a database
// of its own.
//
// Nothing waits a fixed time: tests consume the result topics, or look at
// committed offsets and tables, until what they expect is there or a deadline is
// over.
//
// The folder collector is a module of its own, which sends telemetry through the
// OpenTelemetry Collector: make test-collector.
package e2e
