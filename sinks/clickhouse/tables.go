package clickhouse

// Names of the tables.
const (
	TableWindows     = "windows"
	TableSLOStatus   = "slo_status"
	TableBands       = "bands"
	TableFindings    = "findings"
	TableLabels      = "finding_labels"
	TableVerdicts    = "verdicts"
	TableDecisions   = "decisions"
	TableCommands    = "commands"
	TableOutcomes    = "outcomes"
	TableControls    = "controls"
	TableDeadLetters = "dead_letters"
)

// columnType is one column, with its type as system.columns spells it.
type columnType struct {
	name, kind string
}

// tableColumns is one table with the columns that inserts name.
type tableColumns struct {
	name    string
	columns []columnType
}

const (
	typeWord  = "LowCardinality(String)"
	typeWords = "Array(LowCardinality(String))"
	typeText  = "String"
	typeTexts = "Array(String)"
	typeTime  = "DateTime64(3, 'UTC')"
	typeReal  = "Nullable(Float64)"
	typeReals = "Array(Nullable(Float64))"
	typeMap   = "Map(LowCardinality(String), String)"
)

// expected is what inserts rely on; a test holds it against schema/*.sql.
// Columns that are only there to be read are not in it.
var expected = [...]tableColumns{
	{TableWindows, []columnType{
		{"indicator", typeWord}, {"entity", typeWord}, {"labels", typeText},
		{"start", typeTime}, {"end", typeTime}, {"revision", "UInt32"},
		{"count", "Int64"}, {"bad", "Int64"}, {"rate", typeReal}, {"error_ratio", typeReal},
		{"sum", typeReal}, {"min", typeReal}, {"max", typeReal},
		{"p50", typeReal}, {"p90", typeReal}, {"p95", typeReal}, {"p99", typeReal},
		{"hist", typeText}, {"complete", "Bool"},
	}},
	{TableSLOStatus, []columnType{
		{"slo", typeWord}, {"entity", typeWord}, {"labels", typeText}, {"at", typeTime},
		{"total", "Int64"}, {"bad", "Int64"}, {"sli", typeReal}, {"target", typeReal}, {"budget_consumed", typeReal},
		{"tiers", typeWords}, {"burn_long", typeReals}, {"burn_short", typeReals}, {"firing", typeWords},
		{"complete", "Bool"}, {"revision", typeWord}, {"state", typeWord}, {"period_start", typeTime}, {"period_end", typeTime},
		{"excluded_total", "Int64"}, {"excluded_bad", "Int64"}, {"suppressed", typeTexts},
		{"exhausts_1h", typeReal}, {"exhausts_6h", typeReal}, {"exhausts_3d", typeReal},
		{"exhausts_trend", typeReal}, {"exhausts_earliest", typeReal}, {"exhausts_latest", typeReal},
		{"sli_highest", typeReal},
	}},
	{TableBands, []columnType{
		{"detector", typeWord}, {"indicator", typeWord}, {"value", typeWord}, {"entity", typeWord}, {"labels", typeText},
		{"start", typeTime}, {"end", typeTime}, {"observed", typeReal}, {"expected", typeReal}, {"low", typeReal}, {"high", typeReal},
		{"digits", "Float64"}, {"threshold", "Float64"}, {"algorithm", typeWord}, {"alarm", "Bool"}, {"muted", typeWord},
	}},
	{TableFindings, []columnType{
		{"id", typeText}, {"revision", "UInt32"}, {"kind", typeWord}, {"state", typeWord}, {"severity", typeWord},
		{"entity", typeWord}, {"labels", typeText}, {"detector", typeWord}, {"tier", typeWord},
		{"at", typeTime}, {"opened_at", typeTime}, {"summary", typeText},
		{"evidence.name", typeWords}, {"evidence.value", typeReals}, {"evidence.threshold", typeReals},
		{"evidence.unit", typeWords}, {"evidence.window", typeWords}, {"incomplete", "Bool"}, {"series", typeText}, {"examples", typeText},
	}},
	{TableLabels, []columnType{{"finding", typeText}, {"entity", typeWord}, {"verdict", typeWord}, {"by", typeText}, {"at", typeTime}}},
	{TableVerdicts, []columnType{
		{"id", typeText}, {"revision", "UInt32"}, {"canary", typeWord}, {"entity", typeWord}, {"version", typeWord}, {"baseline", typeWord},
		{"phase", typeWord}, {"verdict", typeWord}, {"score", "Float64"}, {"reason", typeText}, {"needs", typeText}, {"judge", typeWord},
		{"at", typeTime}, {"started_at", typeTime}, {"ends_at", typeTime}, {"looks", "UInt32"}, {"held", "UInt32"}, {"step", "UInt32"},
		{"allowed_weight", "UInt32"}, {"requested_by", typeWord},
		{"metrics.name", typeWords}, {"metrics.kind", typeWords}, {"metrics.verdict", typeWords}, {"metrics.classification", typeWords},
		{"metrics.critical", "Array(Bool)"}, {"metrics.effect", typeReals}, {"metrics.low", typeReals}, {"metrics.high", typeReals},
		{"metrics.e_harm", typeReals}, {"metrics.e_safe", typeReals}, {"metrics.value", typeReals}, {"metrics.base", typeReals},
		{"metrics.reason", typeTexts}, {"data", typeText},
	}},
	{TableDecisions, []columnType{
		{"id", typeText}, {"at", typeTime}, {"verb", typeWord}, {"rule", typeWord}, {"rule_revision", typeWord},
		{"finding", typeText}, {"finding_revision", "UInt32"}, {"entity", typeWord}, {"target", typeWord},
		{"action", typeWord}, {"params", typeMap}, {"mode", typeWord},
		{"gates.name", typeWords}, {"gates.pass", "Array(Bool)"}, {"gates.reason", typeTexts},
		{"explain.expr", typeTexts}, {"explain.value", typeTexts}, {"command", typeText},
		{"trigger", typeWord}, {"operation_id", typeText}, {"attempt", "UInt32"}, {"causes", typeTexts}, {"reason", typeText}, {"who", typeText},
	}},
	{TableCommands, []columnType{
		{"id", typeText}, {"at", typeTime}, {"decision", typeText}, {"finding", typeText},
		{"operation_id", typeText}, {"attempt", "UInt32"}, {"action", typeWord}, {"params", typeMap},
		{"target", typeWord}, {"mode", typeWord}, {"rule", typeWord}, {"rule_revision", typeWord},
		{"evidence.name", typeWords}, {"evidence.value", typeReals}, {"evidence.threshold", typeReals},
		{"evidence.unit", typeWords}, {"evidence.window", typeWords}, {"deadline", typeTime},
	}},
	{TableControls, []columnType{
		{"id", typeText}, {"at", typeTime}, {"kind", typeWord}, {"who", typeText}, {"why", typeText}, {"scope_kind", typeWord}, {"scope_name", typeText},
		{"until", typeTime}, {"lifts", typeText}, {"mode", typeWord}, {"operation_id", typeText}, {"target", typeText}, {"guardrail", typeWord}, {"backlog", typeWord},
		{"change_entity", typeWord}, {"change_kind", typeWord}, {"change_version", typeText},
	}},
	{TableOutcomes, []columnType{
		{"id", typeText}, {"at", typeTime}, {"class", typeWord}, {"command", typeText}, {"operation_id", typeText}, {"attempt", "UInt32"},
		{"target", typeWord}, {"started", typeTime}, {"finished", typeTime}, {"reason", typeWord}, {"detail", typeText},
	}},
	{TableDeadLetters, []columnType{
		{"at", typeTime}, {"partition", "Int32"}, {"offset", "Int64"}, {"stage", typeWord}, {"reason", typeWord},
		{"message", typeText}, {"source_topic", typeWord}, {"source_partition", "Int32"}, {"source_offset", "Int64"},
		{"key", typeText}, {"value", typeText},
	}},
}
