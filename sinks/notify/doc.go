// Package notify tells people, through the systems that they already have: Prometheus
// Alertmanager, Slack, PagerDuty, or any address that takes JSON.
//
// A [Notification] is about a group of findings, and of decisions about them. A [Format]
// makes the request that one kind of receiver wants of it, and a [Sender] sends that: with
// time limits, retries, and a circuit breaker. What is to be told to whom, and when, is
// the business of package grouping.
package notify
