// Package survey finds out what the records of a topic hold: in which of the formats of
// ingest/decode they are, and which labels and numbers their samples have. It reads whole
// records and is slow; what is measured is read by the decoders, which know beforehand
// what they look for.
package survey
