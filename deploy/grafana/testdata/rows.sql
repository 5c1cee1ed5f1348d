-- Three incidents of a day: one that automation ended alone, one that a person had to
-- approve, and one that is open.
INSERT INTO {db}.findings (id, revision, kind, state, severity, entity, labels, detector, tier, at, opened_at, summary) VALUES
    ('b', 1, 'burn_rate', 'opened', 'page', 'cart', '{}', 'availability', 'page_fast', '2026-03-10 08:00:00', '2026-03-10 08:00:00', 'burns'),
    ('b', 2, 'burn_rate', 'resolved', 'page', 'cart', '{}', 'availability', 'page_fast', '2026-03-10 08:12:00', '2026-03-10 08:00:00', 'over'),
    ('c', 1, 'burn_rate', 'opened', 'page', 'pay', '{}', 'availability', 'page_fast', '2026-03-10 09:00:00', '2026-03-10 09:00:00', 'burns'),
    ('c', 2, 'burn_rate', 'resolved', 'page', 'pay', '{}', 'availability', 'page_fast', '2026-03-10 09:40:00', '2026-03-10 09:00:00', 'over'),
    ('d', 1, 'anomaly', 'opened', 'ticket', 'cart', '{}', 'everything', 'spike', '2026-03-10 11:30:00', '2026-03-10 11:30:00', 'is unusual');

INSERT INTO {db}.decisions (id, at, verb, rule, rule_revision, finding, finding_revision, entity, target, action, params, mode, `gates.name`, `gates.pass`, `gates.reason`, command, `trigger`, operation_id, attempt, who) VALUES
    ('1', '2026-03-10 08:00:30', 'act', 'restart', 'r1', 'b', 1, 'cart', 'deploy/cart', 'restart', {'cost': '2'}, 'auto', ['scope'], [true], ['selected'], 'k1', 'finding', 'o1', 1, ''),
    ('2', '2026-03-10 08:01:30', 'verifying', 'restart', 'r1', 'b', 1, 'cart', 'deploy/cart', 'restart', {}, 'auto', [], [], [], '', 'outcome', 'o1', 1, ''),
    ('3', '2026-03-10 08:12:00', 'effective', 'restart', 'r1', 'b', 2, 'cart', 'deploy/cart', 'restart', {}, 'auto', [], [], [], '', 'verification', 'o1', 1, ''),
    ('4', '2026-03-10 09:00:30', 'await_approval', 'restart', 'r1', 'c', 1, 'pay', 'deploy/pay', 'restart', {}, 'approve', ['approval'], [false], ['a person has to approve'], '', 'finding', 'o2', 1, ''),
    ('5', '2026-03-10 09:10:00', 'act', 'restart', 'r1', 'c', 1, 'pay', 'deploy/pay', 'restart', {'cost': '2'}, 'approve', ['approval'], [true], ['ann'], 'k2', 'approval', 'o2', 1, 'ann'),
    ('6', '2026-03-10 09:40:00', 'effective', 'restart', 'r1', 'c', 2, 'pay', 'deploy/pay', 'restart', {}, 'approve', [], [], [], '', 'verification', 'o2', 1, ''),
    ('7', '2026-03-10 11:31:00', 'suppress', 'restart', 'r1', 'd', 1, 'cart', 'deploy/cart', 'restart', {}, 'auto', ['cooldown'], [false], ['too lately'], '', 'finding', '', 0, '');

INSERT INTO {db}.commands (id, at, decision, finding, operation_id, attempt, action, target, mode, rule, rule_revision, deadline) VALUES
    ('k1', '2026-03-10 08:00:30', '1', 'b', 'o1', 1, 'restart', 'deploy/cart', 'auto', 'restart', 'r1', '2026-03-10 08:05:30'),
    ('k2', '2026-03-10 09:10:00', '5', 'c', 'o2', 1, 'restart', 'deploy/pay', 'approve', 'restart', 'r1', '2026-03-10 09:15:00');

INSERT INTO {db}.outcomes (id, at, class, command, operation_id, attempt, target, started, finished, reason, detail) VALUES
    ('x1', '2026-03-10 08:01:30', 'succeeded', 'k1', 'o1', 1, 'deploy/cart', '2026-03-10 08:00:40', '2026-03-10 08:01:30', '', 'restarted'),
    ('x2', '2026-03-10 09:11:00', 'succeeded', 'k2', 'o2', 1, 'deploy/pay', '2026-03-10 09:10:10', '2026-03-10 09:11:00', '', 'restarted');

INSERT INTO {db}.controls (id, at, kind, who, why, scope_kind, scope_name, target) VALUES
    ('y1', '2026-03-10 07:50:00', 'change', 'deploy-tool', 'release 42', '', '', 'deploy/cart'),
    ('y2', '2026-03-10 09:10:00', 'approve', 'ann', 'looked at the graphs', '', '', '');

INSERT INTO {db}.dead_letters (at, partition, offset, stage, reason, message, source_topic) VALUES
    ('2026-03-10 10:00:00', 0, 1, 'aggregate', 'malformed', 'not what the format says', 'otlp_spans'),
    ('2026-03-10 10:01:00', 0, 2, 'evaluate', 'late', '3 samples came after their window could be corrected', 'flyball.panes');

INSERT INTO {db}.verdicts (id, revision, canary, entity, version, baseline, phase, verdict, score, reason, needs, judge, at, started_at, ends_at, looks) VALUES
    ('v1', 1, 'release', 'cart', '2', '1', 'ended', 'fail', 0, 'errors are worse than allowed', '', 'sequential', '2026-03-10 10:10:00', '2026-03-10 10:00:00', '2026-03-10 11:00:00', 10);
