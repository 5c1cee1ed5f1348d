// Package results is what programs outside the engine see of it without a database:
// the latest findings, decisions, commands, outcomes and status of SLOs, followed on
// their topics, and what holds automation, as the decide role remembers it.
package results
