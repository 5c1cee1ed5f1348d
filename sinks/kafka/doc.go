// Package kafka is the contract of Flyball's topics: their names and settings,
// how findings, decisions and commands are written in them, and how commands are
// signed.
//
// Events are CloudEvents 1.0 in the binary mode of the Kafka binding: the value
// is the event's data as JSON, headers "ce_…" are its attributes. JSON Schemas of
// the data are in docs/schema. Ids are hashes of what caused an event, so that a
// consumer can drop what it has seen.
//
//	type                                       key     subject  correlationid  causationid
//	dev.flyball.finding.{opened,…}.v1          entity  entity   finding        –
//	dev.flyball.decision.v1                    entity  entity   finding        id of the finding's state
//	dev.flyball.command.v1                     target  target   finding        decision
//
// An executor must [Verify] a command before it obeys, and must not act twice on
// one ce_id.
package kafka
