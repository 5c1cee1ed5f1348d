// Package loadgen writes the spans of a simulated shop (package shop) the way the OpenTelemetry
// Collector's Kafka exporter does by default: topic otlp_spans, null keys, each record value one
// serialized OTLP TracesData (encoding otlp_proto) or its JSON form (otlp_json).
//
// A [Runner] paces the shop to the wall clock, or runs it as fast as the [Sink] takes records, and
// counts what it handed over in a [Truth], so that an end-to-end test can compare exact counts per
// service, route and window.
//
// # File format
//
// Offline output is one file per partition, TOPIC-PARTITION.otlp or TOPIC-PARTITION.ndjson. An .otlp
// file is a run of frames: a 4-byte big-endian length, then that many bytes of one record value. An
// .ndjson file holds one otlp_json record value per line. [FrameReader] and [LineReader] read them back.
package loadgen
