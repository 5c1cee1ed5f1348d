-- Who calls whom, and how well: from windows of calls, which have the label peer.
CREATE VIEW IF NOT EXISTS {db}.v_topology AS
SELECT
    toStartOfFiveMinutes(w.start) AS period,
    w.indicator AS indicator,
    if(JSONExtractString(w.labels, 'service.name') != '', JSONExtractString(w.labels, 'service.name'), w.entity) AS caller,
    JSONExtractString(w.labels, 'peer') AS callee,
    sum(w.count) AS calls,
    sum(w.bad) AS failed,
    if(calls = 0, NULL, failed / calls) AS error_rate
FROM {db}.windows AS w FINAL
WHERE JSONHas(w.labels, 'peer')
GROUP BY period, indicator, caller, callee
COMMENT 'Calls between services in five minutes, by the indicator that counts them. Hopping windows count a call more than once.';
