package metricsdoc

// intro and mistakes are what the code does not say.
const intro = `<!-- Generated from the code: go test ./internal/metricsdoc -update -->
# Metrics

What a process shows about itself on ` + "`/metrics`" + `, for Prometheus. [Operations](operations.md#what-to-watch)
says which of them to watch, and ` + "`deploy/prometheus/alerts.yaml`" + ` has alerts on them. Those of Go and of
the process (` + "`go_*`, `process_*`" + `) are there besides.

| to see | ask |
|---|---|
| lag, in records | ` + "`sum by (topic) (flyball_source_lag_records)`, `sum by (role) (flyball_lag_records)`" + ` |
| watermark delay, in seconds | ` + "`time() - min by (source) (flyball_watermark_seconds > 0)`" + ` |
| late samples: in time for a correction | ` + "`rate(flyball_corrections_total[5m])`" + ` |
| late samples: too late for anything | ` + "`rate(flyball_dead_letters_total{stage=\"evaluate\", reason=\"late\"}[5m])`" + ` |
| what could not be used, by reason | ` + "`rate(flyball_rejected_samples_total[5m])`, `rate(flyball_dead_letters_total[5m])`" + ` |
| what a limit kept away, by reason | ` + "`rate(flyball_limited_total[5m])`" + ` |
| how long transactions take | ` + "`histogram_quantile(0.99, sum by (role, le) (rate(flyball_transaction_seconds_bucket[5m])))`" + ` |
| how large the state is | ` + "`sum by (role) (flyball_state_bytes)`" + ` |
| which gate holds automation back | ` + "`sum by (gate) (increase(flyball_decisions_total{gate!=\"\"}[1h]))`" + ` |
`

const mistakes = `
## Common mistakes

- **` + "`min(flyball_watermark_seconds)`" + ` over all processes after a rebalance.** A process shows only the partitions
  that it has; scrape all of them.
- **` + "`flyball_lag_records`" + ` of role aggregate.** It is what was behind the last fetch, and stands still when
  nothing is fetched. Of sources ask ` + "`flyball_source_lag_records`" + `, which is looked up.
- **An alert on one dead letter.** Senders make mistakes. Alert on a rate that lasts.
- **` + "`flyball_decisions_total`" + ` as a count of commands.** It counts decisions, most of which send nothing; commands are
  ` + "`flyball_emitted_total{kind=\"command\"}`" + `.
`
