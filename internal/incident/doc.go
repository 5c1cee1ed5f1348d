// Package incident writes the report of what went wrong once, from the events about it:
// the findings, what was decided, sent and done about them, whether it helped, and what is
// to be mended for good. It is pure: the same events give the same report.
package incident
