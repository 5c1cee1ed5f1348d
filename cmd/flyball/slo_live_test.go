package main

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow/ipc"
	"github.com/google/go-cmp/cmp"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/embedded/embeddedtest"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/sinks/clickhouse"
)

// recorded returns the DSN of a database in which three budgets have a status.
func recorded(t *testing.T) string {
	dsn := embeddedtest.ClickHouse(t).DSN()
	db, err := clickhouse.Open(clickhouse.Config{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	nan := math.NaN()
	row := func(slo, labels string, at flyball.Time, total, bad int64) processors.SLORow {
		return processors.SLORow{
			SLO: slo, Entity: "cart", Labels: labels, At: at, State: "OK", Total: total, Bad: bad,
			SLI: flyball.SLI(total, bad), Target: 0.999, BudgetConsumed: float64(bad) / float64(total) / 0.001,
			PeriodStart: at.Add(-30 * 24 * 3600e9), PeriodEnd: at, Tiers: []string{"fast", "slow"}, Firing: []string{"fast"},
			BurnLong: []float64{20, nan}, BurnShort: []float64{30, nan}, Suppressed: []string{"slow: 3 samples are fewer than 100"},
			Exhausts1h: 7200, Exhausts6h: nan, Exhausts3d: nan, ExhaustsTrend: nan, ExhaustsEarliest: nan, ExhaustsLatest: nan, SLIHighest: nan,
			ExcludedTotal: 1000, Complete: true,
		}
	}
	start := flyball.Time(1_790_000_000e9)
	var s processors.SLOStatus
	s.Append(row("checkout", `{"service.name":"cart"}`, start, 10_000, 3))
	s.Append(row("checkout", `{"service.name":"cart"}`, start.Add(60e9), 19_999, 5))
	s.Append(row("routes", `{"http.route":"/pay","service.name":"cart"}`, start, 1000, 0))
	none := row("empty", `{"service.name":"cart"}`, start, 0, 0)
	none.State, none.SLI, none.BudgetConsumed, none.Firing = "NO_DATA", nan, nan, nil
	s.Append(none)
	reader, err := ipc.NewReader(strings.NewReader(string(s.Encode())))
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Release()
	w := db.Writer()
	for reader.Next() {
		if err := w.Insert(t.Context(), clickhouse.TableSLOStatus, reader.Record(), "slo:0:0-0"); err != nil {
			t.Fatal(err)
		}
	}
	return dsn
}

func TestSLOStatusOfWhatIsRecorded(t *testing.T) {
	dsn := recorded(t)
	const at = "2026-09-21T15:00:00Z"
	out, talk, code := flyballCommand(t, "", "slo", "status", "--clickhouse", dsn, "--at", at)
	if code != 0 {
		t.Fatal(talk)
	}
	want := strings.Join([]string{
		`BUDGET OF                 SLO       STATE    SLI      TARGET  BUDGET LEFT  BAD/ALLOWED  FIRING  EXCLUDED  GONE IN (1h / 6h / 3d / trend)`,
		`cart                      checkout  OK       99.975%  99.9%   74.9987%     5/19         fast    4.7621%   2h0m0s / - / - / -`,
		`cart                      empty     NO_DATA  -        99.9%   -            0/0          -       100%      2h0m0s / - / - / -`,
		`cart{http.route="/pay"}  routes    OK       100%     99.9%   100%         0/1          fast    50%       2h0m0s / - / - / -`,
	}, "\n") + "\n"
	if diff := cmp.Diff(fields(want), fields(out)); diff != "" {
		t.Error(diff)
	}

	// The configuration knows where it is recorded, too.
	dir := t.TempDir()
	text := "apiVersion: flyball.dev/v1\nkind: Pipeline\nmetadata: {name: flyball}\nspec: {clickhouse: {dsn: '" + dsn + "'}}\n"
	if err := os.WriteFile(filepath.Join(dir, "pipeline.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, talk, code = flyballCommand(t, "", "slo", "status", "--config", dir, "--at", at, "-o", "json", "checkout")
	if code != 0 {
		t.Fatal(talk)
	}
	var got struct {
		SLO, Entity string
		Allowed     int64
		Burn        map[string]struct {
			Long       *float64
			Firing     bool
			Suppressed string
		}
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("%v in %q", err, out)
	}
	slow := got.Burn["slow"]
	if got.SLO != "checkout" || got.Entity != "cart" || got.Allowed != 19 || !got.Burn["fast"].Firing || slow.Firing || slow.Long != nil ||
		slow.Suppressed != "3 samples are fewer than 100" {
		t.Errorf("got %s", out)
	}

	for _, args := range [][]string{
		{"--at", at, "nope"},             // there is no such SLO
		{"--at", "2026-09-25T00:00:00Z"}, // it is too long ago
	} {
		_, talk, code := flyballCommand(t, "", append([]string{"slo", "status", "--clickhouse", dsn}, args...)...)
		if code != exitError || !strings.Contains(talk, "status in the 24h0m0s before") {
			t.Errorf("%v: exit code %d and %s", args, code, talk)
		}
	}
}

// fields splits lines into words, so that the width of columns does not matter.
func fields(text string) (out []string) {
	for line := range strings.Lines(text) {
		out = append(out, strings.Join(strings.Fields(line), " "))
	}
	return out
}

func TestSLOForecastOfWhatIsRecorded(t *testing.T) {
	dsn := recorded(t)
	out, talk, code := flyballCommand(t, "", "slo", "forecast", "--clickhouse", dsn, "--since", "876000h", "checkout")
	want := `{"forecast":{"slo":"checkout","entity":"cart","labels":"{\"service.name\":\"cart\"}","at":"2026-09-21T14:14:20Z","budget_left":null,` +
		`"exhausts_1h":7200,"exhausts_6h":null,"exhausts_3d":null,"exhausts_trend":null,"exhausts_earliest":null,"exhausts_latest":null}}` + "\n"
	if code != 0 || out != want {
		t.Errorf("%s: got %s\nwant %s", talk, out, want)
	}
}
