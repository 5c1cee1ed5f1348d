// Package sloreplay runs SLOs over recorded slices of total and bad samples, with
// the code that judges them in production: the counts of package slo, and the
// tiers of package burnrate. It has no clock of its own: time is that of the
// slices.
package sloreplay
