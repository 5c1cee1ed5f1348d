// Package decode holds the decoders: formats that come as documents with a mapping or a
// schema here, one file each, and the signals of OTLP and what is like them in packages
// of their own. [New] picks one by the
// format of a source.
//
// Every decoder walks the bytes of a record once and touches only what the
// projection needs; nothing else is parsed, copied or allocated. What is not
// needed is stepped over by its length (protobuf) or its syntax (JSON), so a
// fault inside it goes unnoticed: the same record may be accepted under one
// projection and rejected under a wider one.
//
// # Formats
//
// "otlp_spans" reads OTLP traces, an ExportTraceServiceRequest or TracesData
// (the two are the same on the wire), as the OpenTelemetry Collector's Kafka
// exporter writes them with encoding otlp_proto (the default) or otlp_json.
// Every span is a sample. docs/formats has a page for each format, with its labels and
// values.
//
// "otlp_metrics" reads OTLP metrics in the same encodings. A data point is a row
// that may stand for many samples; see [ingest.Point].
//
// "json" reads JSON objects whose fields a [flyball.JSONMapping] names; see
// [JSON].
//
// # What is rejected
//
// A record whose outer structure does not parse is rejected whole and leaves no
// sample behind. A fault inside one sample rejects that sample only.
package decode
