package clickhouse

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
)

func TestInsertWindows(t *testing.T) {
	db := migrated(t)
	nan := math.NaN()
	rec := windowsOf(t,
		processors.WindowRow{Indicator: "requests", Entity: "cart", Labels: `{"service.name":"cart"}`, Start: at(0), End: at(10), Revision: 1, Count: 4, Bad: 1, Sum: 10, Min: 1, Max: 4, P50: 2, P90: 4, P95: 4, P99: 4e6, Complete: true},
		processors.WindowRow{Indicator: "requests", Entity: "pay", Labels: `{"service.name":"pay"}`, Start: at(0), End: at(10), Revision: 1, Sum: nan, Min: nan, Max: nan, P50: nan, P90: nan, P95: nan, P99: nan},
	)
	put(t, db.Writer(), TableWindows, rec, "windows:0:0-0")
	type row struct {
		Entity    string            `ch:"entity"`
		Labels    map[string]string `ch:"label_map"`
		Seconds   float64           `ch:"window_seconds"`
		Samples   int64             `ch:"samples"`
		Good      int64             `ch:"good_samples"`
		PerSecond *float64          `ch:"samples_per_second"`
		Ratio     *float64          `ch:"error_ratio"`
		Mean      *float64          `ch:"value_mean"`
		P99ms     *float64          `ch:"duration_p99_ms"`
		Complete  bool              `ch:"is_complete"`
	}
	var got []row
	if err := db.Conn().Select(t.Context(), &got, `SELECT entity, label_map, window_seconds, samples, good_samples,
		samples_per_second, error_ratio, value_mean, duration_p99_ms, is_complete FROM v_windows ORDER BY entity`); err != nil {
		t.Fatal(err)
	}
	f := func(v float64) *float64 { return &v }
	want := []row{
		{"cart", map[string]string{"service.name": "cart"}, 10, 4, 3, f(0.4), f(0.25), f(2.5), f(4), true},
		{"pay", map[string]string{"service.name": "pay"}, 10, 0, 0, f(0), nil, nil, nil, false},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestInsertSLOStatus(t *testing.T) {
	db := migrated(t)
	var s processors.SLOStatus
	s.Append(processors.SLORow{SLO: "checkout", Entity: "cart", Labels: `{}`, At: at(10), Total: 1000, Bad: 5, SLI: 0.995, Target: 0.99, BudgetConsumed: 0.5,
		Tiers: []string{"page_fast", "page_slow"}, BurnLong: []float64{15, math.NaN()}, BurnShort: []float64{20, 1}, Firing: []string{"page_fast"}, Complete: true})
	s.Append(processors.SLORow{SLO: "checkout", Entity: "pay", Labels: `{}`, At: at(10), SLI: math.NaN(), Target: 0.99, BudgetConsumed: math.NaN()})
	put(t, db.Writer(), TableSLOStatus, decode(t, s.Encode()), "slo:0:0-0")
	type row struct {
		Entity string     `ch:"entity"`
		SLI    *float64   `ch:"sli_ratio"`
		Left   *float64   `ch:"budget_remaining_ratio"`
		Tiers  []string   `ch:"tiers"`
		Long   []*float64 `ch:"burn_rate_long"`
		Short  []*float64 `ch:"burn_rate_short"`
		Firing []string   `ch:"firing_tiers"`
		Fires  bool       `ch:"is_firing"`
	}
	var got []row
	if err := db.Conn().Select(t.Context(), &got, `SELECT entity, sli_ratio, budget_remaining_ratio, tiers, burn_rate_long,
		burn_rate_short, firing_tiers, is_firing FROM v_slo_status ORDER BY entity`); err != nil {
		t.Fatal(err)
	}
	f := func(v float64) *float64 { return &v }
	want := []row{
		{"cart", f(0.995), f(0.5), []string{"page_fast", "page_slow"}, []*float64{f(15), nil}, []*float64{f(20), f(1)}, []string{"page_fast"}, true},
		{"pay", nil, nil, []string{}, []*float64{}, []*float64{}, []string{}, false},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSameTokenInsertsOnce(t *testing.T) {
	db := migrated(t)
	// No merge may hide a second copy.
	exec(t, db, "SYSTEM STOP MERGES "+quote(db.Name())+".windows")
	f := func(token string, start int64, want uint64) {
		t.Helper()
		// Another Writer, as after a restart; other days, as in other partitions.
		rec := windowsOf(t,
			processors.WindowRow{Indicator: "i", Start: at(start), End: at(start + 10), Revision: 1},
			processors.WindowRow{Indicator: "i", Start: at(start + 86400), End: at(start + 86410), Revision: 1})
		put(t, db.Writer(), TableWindows, rec, token)
		if n := one[uint64](t, db, "SELECT count() FROM windows"); n != want {
			t.Errorf("after token %q there are %d rows, want %d", token, n, want)
		}
	}
	f("windows:0:0-1", 0, 2)
	f("windows:0:0-1", 0, 2)
	f("windows:1:0-1", 0, 4)  // the same rows under another token are rows of their own
	f("windows:0:0-1", 0, 4)  // not only the last token is remembered
	f("windows:0:0-1", 50, 4) // the token decides, not the rows
	f("", 0, 6)
}

func TestManyDaysInOneInsert(t *testing.T) {
	db := migrated(t)
	var rows []processors.WindowRow
	for day := range int64(150) {
		rows = append(rows, processors.WindowRow{Indicator: "i", Start: at(day * 86400), End: at(day*86400 + 10), Revision: 1})
	}
	put(t, db.Writer(), TableWindows, windowsOf(t, rows...), "t")
	if n := one[uint64](t, db, "SELECT count() FROM v_windows"); n != 150 {
		t.Errorf("%d rows, want 150", n)
	}
}

func TestHighestRevisionWins(t *testing.T) {
	db := migrated(t)
	w := db.Writer()
	for i, revision := range []uint32{1, 3, 2} { // out of order, as after a replay
		row := processors.WindowRow{Indicator: "i", Entity: "cart", Start: at(0), End: at(10), Revision: revision, Count: int64(revision) * 10}
		put(t, w, TableWindows, windowsOf(t, row), fmt.Sprint("windows:0:", i))
	}
	f := func() {
		t.Helper()
		if n := one[uint64](t, db, "SELECT count() FROM v_windows"); n != 1 {
			t.Errorf("%d rows, want 1", n)
		}
		if n := one[int64](t, db, "SELECT samples FROM v_windows"); n != 30 {
			t.Errorf("%d samples, want those of revision 3", n)
		}
	}
	f()
	exec(t, db, "OPTIMIZE TABLE windows FINAL")
	f()
}

func TestSchemaMismatchIsPermanent(t *testing.T) {
	db := migrated(t)
	w := db.Writer()
	rec := windowsOf(t, processors.WindowRow{Indicator: "i", Start: at(0), End: at(10)})
	f := func(table string, parts ...string) {
		t.Helper()
		err := w.Insert(t.Context(), table, rec, "")
		var e *Error
		if !errors.As(err, &e) || !e.Permanent || Retryable(err) {
			t.Fatalf("got %v, want a permanent error", err)
		}
		for _, p := range parts {
			if !strings.Contains(err.Error(), p) {
				t.Errorf("the error does not say %q:\n%v", p, err)
			}
		}
	}
	f("nothing", `cannot insert into table "nothing"`, `table "nothing" is missing`)
	f(TableFindings, `column "indicator" is missing`, `column "count" is missing`)
	put(t, w, TableWindows, rec, "")
	// The Writer has the columns in mind now, and the server changes them.
	exec(t, db, "ALTER TABLE windows DROP COLUMN p95")
	f(TableWindows, "p95")
	exec(t, db, "ALTER TABLE windows ADD COLUMN p95 Float32")
	f(TableWindows, `column "p95" is Float32, want Float64`)
	exec(t, db, "ALTER TABLE windows MODIFY COLUMN p95 Nullable(Float64)")
	put(t, w, TableWindows, rec, "")
	if n := one[uint64](t, db, "SELECT count() FROM windows FINAL"); n != 1 {
		t.Errorf("%d rows", n)
	}
}

func TestBrokenHistogramIsPermanent(t *testing.T) {
	db := migrated(t)
	rec := windowsOf(t, processors.WindowRow{Indicator: "i", Start: at(0), End: at(10), Hist: []byte{2, 1}})
	err := db.Writer().Insert(t.Context(), TableWindows, rec, "")
	var e *Error
	if !errors.As(err, &e) || !e.Permanent || e.Code == 0 {
		t.Errorf("got %v, want a permanent error with a code", err)
	}
}

func TestServerThatIsDownIsRetryable(t *testing.T) {
	for _, dsn := range []string{"clickhouse://127.0.0.1:1/x?dial_timeout=1s", "http://127.0.0.1:1/x?dial_timeout=1s"} {
		db, err := Open(Config{DSN: dsn})
		if err != nil {
			t.Fatal(err)
		}
		rec := windowsOf(t, processors.WindowRow{Indicator: "i", Start: at(0), End: at(10)})
		if err := db.Writer().Insert(t.Context(), TableWindows, rec, ""); !Retryable(err) {
			t.Errorf("%s: got %v, want a retryable error", dsn, err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestCompressedInsert(t *testing.T) {
	db := migrated(t)
	rec := windowsOf(t, processors.WindowRow{Indicator: "i", Start: at(0), End: at(10), Count: 3})
	for _, method := range []string{"lz4", "zstd"} {
		exec(t, db, "TRUNCATE TABLE windows")
		compressed, err := Open(Config{DSN: "http://" + db.opts.Addr[0] + "/" + db.Name() + "?compress=" + method})
		if err != nil {
			t.Fatal(err)
		}
		put(t, compressed.Writer(), TableWindows, rec, "")
		if n := one[int64](t, compressed, "SELECT sum(samples) FROM v_windows"); n != 3 {
			t.Errorf("%s: %d samples", method, n)
		}
		if err := compressed.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestOpenConfig(t *testing.T) {
	f := func(c Config, database string) {
		t.Helper()
		db, err := Open(c)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if db.Name() != database {
			t.Errorf("%+v: database %q, want %q", c, db.Name(), database)
		}
	}
	f(Default(), DefaultDatabase)
	f(Config{DSN: "http://h:8123"}, DefaultDatabase)
	f(Config{DSN: "clickhouse://u:p@h:9000,h2:9000/other?dial_timeout=1s"}, "other")
	f(Config{DSN: "clickhouse://h:9000/other", Database: "this"}, "this")
	for _, dsn := range []string{"", "nonsense", "ftp://h/x", "clickhouse://h?dial_timeout=long"} {
		if err := (Config{DSN: dsn}).Validate(); err == nil {
			t.Errorf("DSN %q is valid", dsn)
		}
	}
}

// TestInsertBands: what was expected stands beside what the windows are now, and an
// anomaly beside why.
func TestInsertBands(t *testing.T) {
	db := migrated(t)
	var w processors.Windows
	w.Append(processors.WindowRow{Indicator: "requests", Entity: "cart", Labels: `{"service.name":"cart"}`, Start: at(0), End: at(60), Revision: 2, Count: 12, Bad: 1,
		Sum: math.NaN(), Min: math.NaN(), Max: math.NaN(), P50: math.NaN(), P90: math.NaN(), P95: math.NaN(), P99: math.NaN(), Complete: true})
	put(t, db.Writer(), TableWindows, decode(t, w.Encode()), "windows:0:0-0")
	var b processors.Bands
	b.Append(processors.BandRow{Detector: "all", Indicator: "requests", Value: flyball.ValueRate, Entity: "cart", Labels: `{"service.name":"cart"}`, Start: at(0), End: at(60),
		Observed: 0.2, Expected: 1, Low: 0.5, High: math.NaN(), Digits: 5.5, Threshold: 5, Algorithm: "spike", Alarm: true})
	b.Append(processors.BandRow{Detector: "all", Indicator: "requests", Value: flyball.ValueP99, Entity: "cart", Labels: `{"service.name":"cart"}`, Start: at(0), End: at(60),
		Observed: math.NaN(), Expected: math.NaN(), Low: math.NaN(), High: math.NaN(), Threshold: 5, Algorithm: "none"})
	put(t, db.Writer(), TableBands, decode(t, b.Encode()), "bands:0:0-0")
	type row struct {
		Value     string   `ch:"value"`
		Observed  *float64 `ch:"observed"`
		Low       *float64 `ch:"expected_low"`
		High      *float64 `ch:"expected_high"`
		Score     float64  `ch:"anomaly_score"`
		Alarm     bool     `ch:"is_alarm"`
		Samples   int64    `ch:"samples"`
		Corrected bool     `ch:"is_corrected"`
	}
	var got []row
	if err := db.Conn().Select(t.Context(), &got, `SELECT value, observed, expected_low, expected_high, anomaly_score, is_alarm, samples, is_corrected
		FROM v_bands ORDER BY value`); err != nil {
		t.Fatal(err)
	}
	f := func(v float64) *float64 { return &v }
	want := []row{{"p99", nil, nil, nil, 0, false, 12, true}, {"rate", f(0.2), f(0.5), nil, 0.55, true, 12, true}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	finding := flyball.Finding{ID: "f", Revision: 1, Kind: "anomaly", State: flyball.FindingOpened, Entity: "cart", Detector: "all", Tier: "spike", At: at(60), OpenedAt: at(60),
		Evidence: []flyball.Evidence{{Name: "score", Value: 0.55}, {Name: "observed", Value: 0.2}},
		Series:   []flyball.FindingSeries{{Indicator: "requests", Value: flyball.ValueRate, Labels: flyball.LabelsOf("service.name", "cart"), Reason: "it is low", Share: 1}}}
	if err := db.Writer().InsertFindings(t.Context(), []flyball.Finding{finding}, "findings:0:0-0"); err != nil {
		t.Fatal(err)
	}
	var anomalies []struct {
		Algorithm string   `ch:"algorithm"`
		Score     *float64 `ch:"anomaly_score"`
		Low       *float64 `ch:"expected_low"`
		Reason    string   `ch:"reason"`
	}
	if err := db.Conn().Select(t.Context(), &anomalies, `SELECT algorithm, anomaly_score, expected_low, JSONExtractString(series[1], 'reason') AS reason FROM v_anomalies`); err != nil {
		t.Fatal(err)
	}
	if len(anomalies) != 1 || anomalies[0].Algorithm != "spike" || anomalies[0].Score == nil || *anomalies[0].Score != 0.55 || anomalies[0].Low != nil || anomalies[0].Reason != "it is low" {
		t.Errorf("got %+v", anomalies)
	}
}

// TestInsertLabels: the last word on a finding counts.
func TestInsertLabels(t *testing.T) {
	db := migrated(t)
	list := []flyball.FindingLabel{{Finding: "f", Entity: "cart", Verdict: flyball.LabelReal, By: "ann", At: at(1)}, {Finding: "f", Entity: "cart", Verdict: flyball.LabelNoise, By: "bob", At: at(2)}}
	if err := db.Writer().InsertLabels(t.Context(), list, "labels:0:0-1"); err != nil {
		t.Fatal(err)
	}
	var got []struct {
		Verdict string `ch:"verdict"`
		By      string `ch:"labelled_by"`
	}
	if err := db.Conn().Select(t.Context(), &got, `SELECT verdict, labelled_by FROM v_finding_labels`); err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || got[0].Verdict != "noise" || got[0].By != "bob" {
		t.Errorf("got %+v", got)
	}
}
