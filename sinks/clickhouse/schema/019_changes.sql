-- Changes of what runs: what people said with `change`, and what sources with `changes`
-- read in deploys and events.
ALTER TABLE {db}.controls
    ADD COLUMN IF NOT EXISTS change_entity LowCardinality(String) COMMENT 'Of a change: what was changed, as findings name it' AFTER backlog,
    ADD COLUMN IF NOT EXISTS change_kind LowCardinality(String) COMMENT 'Of a change: how, such as deployed' AFTER change_entity,
    ADD COLUMN IF NOT EXISTS change_version String COMMENT 'Of a change: the version that runs now' CODEC(ZSTD(1)) AFTER change_kind;

CREATE VIEW IF NOT EXISTS {db}.v_changes AS
SELECT
    id AS control_id,
    at AS changed_at,
    if(change_entity != '', change_entity, splitByChar('/', target)[-1]) AS entity,
    if(change_kind != '', change_kind, 'change') AS kind,
    change_version AS version,
    target,
    who AS told_by,
    why
FROM {db}.controls FINAL
WHERE controls.kind = 'change'
COMMENT 'Changes of what runs: deploys, rollbacks, scalings, and what people said that they changed.';

CREATE VIEW IF NOT EXISTS {db}.v_finding_changes AS
SELECT
    f.id AS finding_id,
    f.entity AS entity,
    f.opened AS opened_at,
    c.changed_at AS changed_at,
    dateDiff('second', c.changed_at, f.opened) AS seconds_before,
    c.kind AS kind,
    c.version AS version,
    c.target AS target,
    c.told_by AS told_by
FROM
(
    SELECT id, any(entity) AS entity, min(opened_at) AS opened FROM {db}.findings GROUP BY id
) AS f
INNER JOIN {db}.v_changes AS c ON c.entity = f.entity
WHERE c.changed_at <= f.opened AND c.changed_at > f.opened - INTERVAL 1 DAY
COMMENT 'What was changed of an entity in the day before a finding opened: where to look first.';
