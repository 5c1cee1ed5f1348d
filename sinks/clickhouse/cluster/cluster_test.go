package cluster

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/flyball-io/flyball/internal/embedded/embeddedtest"
	"github.com/flyball-io/flyball/sinks/clickhouse"
)

func TestMain(m *testing.M) { os.Exit(embeddedtest.Main(m)) }

// all returns every statement for a cluster.
func all(t *testing.T, target Target) []string {
	t.Helper()
	out := target.Prepare()
	for _, m := range clickhouse.Migrations() {
		list, err := target.Statements(m.Script(target.Database))
		if err != nil {
			t.Fatalf("%s: %v", m.Name, err)
		}
		out = append(append(out, list...), target.Applied(m.Version, m.Name, m.Checksum))
	}
	return out
}

// TestItParsesOnTheEngine: every statement is one that ClickHouse reads as what it is
// meant to be.
func TestItParsesOnTheEngine(t *testing.T) {
	db, err := clickhouse.Open(clickhouse.Config{DSN: embeddedtest.ClickHouse(t).DSN()})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, s := range all(t, Target{Cluster: "it's", Database: "fly`ball"}) {
		var formatted string
		if err := db.Conn().QueryRow(t.Context(), "SELECT formatQuery(?)", s).Scan(&formatted); err != nil {
			t.Fatalf("%v in\n%s", err, s)
		}
		if strings.HasPrefix(s, "INSERT") == strings.Contains(formatted, "ON CLUSTER ") {
			t.Errorf("it is done on one node only:\n%s", formatted)
		}
		rows, err := db.Conn().Query(t.Context(), "EXPLAIN AST "+s)
		if err != nil {
			t.Fatalf("%v in\n%s", err, s)
		}
		for rows.Next() {
		}
		if err := rows.Err(); err != nil {
			t.Errorf("%v in\n%s", err, s)
		}
		rows.Close()
	}
}

// TestEveryTableIsReplicated: no table has an engine of one node, every sharded one has
// its distributed table, and what fills one on a shard reads and writes that shard.
func TestEveryTableIsReplicated(t *testing.T) {
	text := strings.Join(all(t, Target{Cluster: "c", Database: "flyball"}), ";\n")
	for _, line := range strings.Split(text, "\n") {
		if strings.HasPrefix(line, "ENGINE") && !strings.HasPrefix(line, "ENGINE = Replicated") && !strings.HasPrefix(line, "ENGINE = Distributed") {
			t.Errorf("an engine of one node: %s", line)
		}
	}
	for _, want := range []string{
		"CREATE DATABASE IF NOT EXISTS `flyball` ON CLUSTER 'c'",
		"CREATE TABLE IF NOT EXISTS `flyball`.windows_local ON CLUSTER 'c'\n(",
		"ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/flyball/windows_local', '{replica}', revision)",
		"CREATE TABLE IF NOT EXISTS `flyball`.windows ON CLUSTER 'c' AS `flyball`.windows_local\nENGINE = Distributed('c', 'flyball', 'windows_local', cityHash64(indicator, entity, labels))",
		"ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/all/flyball/findings', '{shard}-{replica}')",
		"ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/tables/{shard}/flyball/slo_hourly_local', '{replica}')",
		"CREATE MATERIALIZED VIEW IF NOT EXISTS `flyball`.slo_hourly_fill ON CLUSTER 'c' TO `flyball`.slo_hourly_local AS",
		"FROM `flyball`.slo_status_local AS s\nGROUP BY slo, entity, labels, hour;\nINSERT INTO",
		"ALTER TABLE `flyball`.slo_status_local ON CLUSTER 'c'\n    ADD COLUMN IF NOT EXISTS revision LowCardinality(String) COMMENT 'Revision of what is counted; another one is another budget' CODEC(ZSTD(1)) AFTER complete",
		"ALTER TABLE `flyball`.slo_status ON CLUSTER 'c'\n    ADD COLUMN IF NOT EXISTS revision LowCardinality(String) COMMENT 'Revision of what is counted; another one is another budget' AFTER complete",
		"ALTER TABLE `flyball`.findings ON CLUSTER 'c'",
		"DROP VIEW IF EXISTS `flyball`.v_anomalies ON CLUSTER 'c'",
		"CREATE OR REPLACE VIEW `flyball`.v_slo_status ON CLUSTER 'c' AS",
		"INSERT INTO `flyball`.schema_migrations (version, name, checksum) VALUES (1, '001_windows.sql', '",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("there is no\n%s", want)
		}
	}
	for name := range sharded {
		if !strings.Contains(text, "."+name+" ON CLUSTER 'c' AS `flyball`."+name+"_local\nENGINE = Distributed(") {
			t.Errorf("%s has no distributed table", name)
		}
	}
}

// TestNoSubqueryMeetsShards: ClickHouse refuses a condition IN (SELECT …) from one
// distributed table in a query of another; views have that of tables only that are whole
// on every node.
func TestNoSubqueryMeetsShards(t *testing.T) {
	for _, s := range all(t, Target{Cluster: "c", Database: "flyball"}) {
		for _, part := range strings.Split(s, " IN (SELECT ")[1:] {
			inner, _, _ := strings.Cut(part, ")")
			for name := range sharded {
				if strings.Contains(inner, "`flyball`."+name) {
					t.Errorf("a condition asks %s: %s", name, inner)
				}
			}
		}
	}
}

// TestScript: it can be split at its semicolons into what was meant.
func TestScript(t *testing.T) {
	target := Target{Cluster: "c", Database: "flyball"}
	script, err := target.Script(clickhouse.Migrations())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for s := range strings.SplitSeq(script, ";\n") {
		if s = strings.TrimSpace(comments.ReplaceAllString(s, "")); s != "" {
			got = append(got, s)
		}
	}
	if want := all(t, target); !slices.Equal(got, want) {
		t.Errorf("%d statements, want %d", len(got), len(want))
	}
	if !strings.HasPrefix(script, "-- for cluster c\nCREATE DATABASE") || !strings.Contains(script, "\n-- 001_windows.sql\n") {
		t.Errorf("it begins %.200s", script)
	}
}

func TestWhatItCannotRewrite(t *testing.T) {
	for _, s := range []string{"OPTIMIZE TABLE `flyball`.windows", "CREATE TABLE IF NOT EXISTS `flyball`.x\n(\n    a Int8\n)\nENGINE = Log"} {
		if list, err := (Target{"c", "flyball"}).Statements(s + ";\n"); err == nil {
			t.Errorf("%q becomes %q", s, list)
		}
	}
}
