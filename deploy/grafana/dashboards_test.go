// Package grafana tests the dashboards: every query of every panel is run on the
// real engine, with data in it.
package grafana

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"go.yaml.in/yaml/v4"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/embedded/embeddedtest"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/sinks/clickhouse"
)

func TestMain(m *testing.M) { os.Exit(embeddedtest.Main(m)) }

// end is the end of the time range that is looked at.
var end = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

type dashboard struct {
	UID         string
	Title       string
	Annotations struct{ List []annotation }
	Templating  struct{ List []variable }
	Panels      []panel
}

type annotation struct {
	Name   string
	Target target
}

type variable struct {
	Name  string
	Query string
}

type panel struct {
	ID      int
	Type    string
	Title   string
	Targets []target
	GridPos struct{ X, Y, W, H int }
}

type target struct {
	RawSQL string `json:"rawSql"`
	// Expr is a query to Prometheus: whether what it asks for exists is tested in
	// deploy/prometheus.
	Expr string
}

func read(t *testing.T) map[string]dashboard {
	t.Helper()
	files, err := filepath.Glob("dashboards/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no dashboards: %v", err)
	}
	out := map[string]dashboard{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var d dashboard
		if err := json.Unmarshal(text, &d); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		out[file] = d
	}
	return out
}

// filled returns a database with a day of two SLOs, of which one has burnt.
func filled(t *testing.T) (conn driver.Conn, database string) {
	t.Helper()
	server := embeddedtest.ClickHouse(t)
	db, err := clickhouse.Open(clickhouse.Config{DSN: server.DSN()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	var status processors.SLOStatus
	for i := range 24 * 12 {
		at := flyball.TimeOf(end.Add(-time.Duration(24*12-1-i) * 5 * time.Minute))
		for _, entity := range []string{"cart", "pay"} {
			row := processors.SLORow{
				SLO: "availability", Entity: entity, Labels: fmt.Sprintf(`{"service.name":%q}`, entity), At: at,
				Total: 100_000, Bad: 40, SLI: 0.9996, Target: 0.999, BudgetConsumed: 0.4,
				Tiers: []string{"page_fast", "page_slow"}, BurnLong: []float64{0.4, 0.5}, BurnShort: []float64{0.3, 0.2}, Complete: true,
				State: "OK", PeriodStart: at.Add(-30 * 24 * time.Hour), PeriodEnd: at, ExcludedTotal: 10, ExcludedBad: 1,
				Exhausts1h: 1e6, Exhausts6h: 2e6, Exhausts3d: 3e6, ExhaustsTrend: 1e6, ExhaustsEarliest: 1e5, ExhaustsLatest: math.NaN(),
			}
			if entity == "pay" {
				row.BurnLong[0], row.Firing = 20, []string{"page_fast"}
			}
			status.Append(row)
		}
	}
	rec, err := processors.DecodeRecord(status.Encode())
	if err != nil {
		t.Fatal(err)
	}
	defer rec.Release()
	w := db.Writer()
	if err := w.Insert(t.Context(), clickhouse.TableSLOStatus, rec, ""); err != nil {
		t.Fatal(err)
	}
	opened := flyball.TimeOf(end.Add(-time.Hour))
	err = w.InsertFindings(t.Context(), []flyball.Finding{
		{ID: "a", Revision: 1, Kind: "burn_rate", State: flyball.FindingOpened, Severity: "page", Entity: "pay", Detector: "availability",
			Tier: "page_fast", At: opened, OpenedAt: opened, Summary: "burns"},
	}, "")
	if err != nil {
		t.Fatal(err)
	}
	automated(t, db.Conn(), w, server.Name)
	return db.Conn(), server.Name
}

var (
	timeFilter   = regexp.MustCompile(`\$__timeFilter\(([a-z_.]+)\)`)
	timeInterval = regexp.MustCompile(`\$__timeInterval\(([a-z_.]+)\)`)
	leftOver     = regexp.MustCompile(`\$(__)?\w+|\$\{`)
)

// fill does what Grafana and its ClickHouse data source do to a query: ranges,
// intervals and the values of variables.
func fill(t *testing.T, sql, database string) string {
	t.Helper()
	from, to := end.Add(-24*time.Hour).Unix(), end.Unix()
	sql = timeFilter.ReplaceAllString(sql, fmt.Sprintf("$1 >= toDateTime(%d) AND $1 <= toDateTime(%d)", from, to))
	sql = timeInterval.ReplaceAllString(sql, "toStartOfInterval(toDateTime($1), INTERVAL 60 second)")
	sql = strings.NewReplacer("$__fromTime", fmt.Sprintf("toDateTime(%d)", from), "$__toTime", fmt.Sprintf("toDateTime(%d)", to),
		"${entity:singlequote}", "'cart','pay'", "${slo:singlequote}", "'availability'", "flyball.", database+".").Replace(sql)
	if rest := leftOver.FindString(sql); rest != "" {
		t.Errorf("nothing is known of %q in %s", rest, sql)
	}
	return sql
}

// run returns how many rows a query gives, and whether any has a value that is
// neither null nor its time.
func run(t *testing.T, conn driver.Conn, sql string) (rows int, values bool) {
	t.Helper()
	r, err := conn.Query(t.Context(), "SELECT toJSONString(tuple(*)) FROM ("+sql+")")
	if err != nil {
		t.Errorf("%s: %v", sql, err)
		return 0, false
	}
	defer r.Close()
	for r.Next() {
		var text string
		if err := r.Scan(&text); err != nil {
			t.Fatal(err)
		}
		rows++
		var cells map[string]any
		if err := json.Unmarshal([]byte(text), &cells); err != nil {
			var list []any
			if err := json.Unmarshal([]byte(text), &list); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			cells = map[string]any{}
			for i, v := range list {
				cells[fmt.Sprint(i)] = v
			}
		}
		for name, v := range cells {
			values = values || name != "time" && name != "series" && v != nil
		}
	}
	if err := r.Err(); err != nil {
		t.Errorf("%s: %v", sql, err)
	}
	return rows, values
}

func TestEveryQueryGivesData(t *testing.T) {
	conn, database := filled(t)
	for file, d := range read(t) {
		check := func(what, sql string) {
			t.Helper()
			if sql == "" {
				t.Errorf("%s: %s has no query", file, what)
				return
			}
			if rows, values := run(t, conn, fill(t, sql, database)); rows == 0 || !values {
				t.Errorf("%s: %s gives %d rows, with values: %v", file, what, rows, values)
			}
		}
		for _, v := range d.Templating.List {
			check("variable "+v.Name, v.Query)
		}
		for _, a := range d.Annotations.List {
			check("annotation "+a.Name, a.Target.RawSQL)
		}
		for _, p := range d.Panels {
			if len(p.Targets) == 0 {
				t.Errorf("%s: panel %q has no query", file, p.Title)
			}
			for _, q := range p.Targets {
				if q.Expr == "" {
					check("panel "+p.Title, q.RawSQL)
				}
			}
		}
	}
}

// Panels have a name, an own id and an own place.
func TestPanelsDoNotOverlap(t *testing.T) {
	uids := map[string]bool{}
	for file, d := range read(t) {
		if d.UID == "" || d.Title == "" || uids[d.UID] {
			t.Errorf("%s: uid %q, title %q", file, d.UID, d.Title)
		}
		uids[d.UID] = true
		taken, ids := map[[2]int]string{}, map[int]bool{}
		for _, p := range d.Panels {
			if p.Title == "" || ids[p.ID] {
				t.Errorf("%s: panel %d %q", file, p.ID, p.Title)
			}
			ids[p.ID] = true
			for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
				for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
					if other := taken[[2]int{x, y}]; other != "" || x >= 24 {
						t.Fatalf("%s: %q lies over %q or out of the page", file, p.Title, other)
					}
					taken[[2]int{x, y}] = p.Title
				}
			}
		}
	}
}

// What is provisioned is what the dashboards use.
func TestProvisioning(t *testing.T) {
	text, err := os.ReadFile("provisioning/datasources/flyball.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var sources struct {
		Datasources []struct{ UID, Type string }
	}
	if err := yaml.Unmarshal(text, &sources); err != nil || len(sources.Datasources) != 2 {
		t.Fatalf("%v: %+v", err, sources)
	}
	var known []string
	for _, s := range sources.Datasources {
		known = append(known, fmt.Sprintf(`{"type": %q,"uid": %q}`, s.Type, s.UID))
	}
	for file := range read(t) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		flat := strings.Join(strings.Fields(string(text)), " ")
		flat = strings.NewReplacer("{ ", "{", " }", "}", ", ", ",").Replace(flat)
		n, all := 0, strings.Count(flat, `"datasource":`)
		for _, want := range known {
			n += strings.Count(flat, `"datasource": `+want)
		}
		if n != all || n == 0 {
			t.Errorf("%s: %d of %d data sources are among %s", file, n, all, known)
		}
	}
	text, err = os.ReadFile("provisioning/dashboards/flyball.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var providers struct {
		Providers []struct {
			Options struct{ Path string }
		}
	}
	if err := yaml.Unmarshal(text, &providers); err != nil || len(providers.Providers) != 1 || providers.Providers[0].Options.Path == "" {
		t.Errorf("%v: %+v", err, providers)
	}
}
