package histogram

import (
	"context"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/go-cmp/cmp"

	"github.com/flyball-io/flyball/internal/embedded/embeddedtest"
)

func TestMain(m *testing.M) { os.Exit(embeddedtest.Main(m)) }

// server is a ClickHouse with the two tables that the tests fill.
type server struct {
	t    *testing.T
	conn driver.Conn
}

// ddArguments are the parameters of quantilesDD in all queries.
func ddArguments() string {
	args := []string{QuantilesDDAccuracy}
	for _, q := range quantiles {
		args = append(args, fmt.Sprint(q))
	}
	return strings.Join(args, ", ")
}

func newServer(t *testing.T) server {
	t.Helper()
	s := server{t, embeddedtest.ClickHouse(t).Open(t)}
	s.exec("CREATE TABLE vals (part UInt8, v Float64) ENGINE = MergeTree ORDER BY part")
	state := "AggregateFunction(quantilesDD(" + ddArguments() + "), Float64)"
	s.exec("CREATE TABLE states (hist String, dd " + state + " MATERIALIZED CAST(hist AS " + state + ")) ENGINE = MergeTree ORDER BY tuple()")
	return s
}

func (s server) exec(sql string) {
	s.t.Helper()
	if err := s.conn.Exec(context.Background(), sql); err != nil {
		s.t.Fatalf("%s: %v", sql, err)
	}
}

// fill replaces the contents of both tables: values for native states, and histograms.
func (s server) fill(native []float64, hs ...*Histogram) {
	s.t.Helper()
	ctx := context.Background()
	s.exec("TRUNCATE TABLE vals")
	s.exec("TRUNCATE TABLE states")
	send := func(table string, rows int, row func(i int) []any) {
		s.t.Helper()
		if rows == 0 {
			return
		}
		batch, err := s.conn.PrepareBatch(ctx, "INSERT INTO "+table)
		if err != nil {
			s.t.Fatal(err)
		}
		for i := range rows {
			if err := batch.Append(row(i)...); err != nil {
				s.t.Fatal(err)
			}
		}
		if err := batch.Send(); err != nil {
			s.t.Fatal(err)
		}
	}
	send("vals (part, v)", len(native), func(i int) []any { return []any{uint8(i % 3), native[i]} })
	send("states (hist)", len(hs), func(i int) []any { return []any{string(hs[i].AppendQuantilesDD(nil))} })
}

// quantiles merges all states, native ones made of vals included.
func (s server) quantiles() []float64 {
	s.t.Helper()
	args := ddArguments()
	var got []float64
	sql := "SELECT quantilesDDMerge(" + args + ")(dd) FROM (SELECT dd FROM states UNION ALL " +
		"SELECT quantilesDDState(" + args + ")(v) FROM vals GROUP BY part)"
	if err := s.conn.QueryRow(context.Background(), sql).Scan(&got); err != nil {
		s.t.Fatalf("%s: %v", sql, err)
	}
	if len(got) != len(quantiles) {
		s.t.Fatalf("%d quantiles, want %d", len(got), len(quantiles))
	}
	return got
}

// deal splits values among n histograms.
func deal(vs []float64, n int) []*Histogram {
	hs := make([]*Histogram, n)
	for i := range hs {
		hs[i] = new(Histogram)
	}
	for i, v := range vs {
		hs[i%n].Add(v)
	}
	return hs
}

func TestClickHouseQuantiles(t *testing.T) {
	s := newServer(t)
	f := func(name string, vs []float64) {
		t.Helper()
		sorted := slices.Sorted(slices.Values(vs))
		for _, share := range []float64{0, 0.5, 1} {
			n := int(share * float64(len(vs)))
			s.fill(vs[:n], deal(vs[n:], 4)...)
			for i, got := range s.quantiles() {
				if want := exact(sorted, quantiles[i]); !withinError(got, want, finestError) {
					t.Errorf("%s, %v native: quantile %v = %v, want %v ± 1.083 %%", name, share, quantiles[i], got, want)
				}
			}
		}
	}
	f("lognormal", latencies(20000, 0.5, 1))
	f("wide lognormal", latencies(20000, 1.5, 2))
	f("bimodal", bimodal(20000, 1))
	f("constant", constant(5000, 123456))
	f("constant power of two", constant(5000, 1<<20))
	f("constant 1", constant(5000, 1))
	f("powers of two", slices.Repeat([]float64{1, 2, 4, 1024, 1 << 30, 1 << 40}, 1000))
	f("both signs", slices.Repeat([]float64{-5e6, -1.5, 0, 0, 3, 1000, -1 << 20}, 500))
}

// TestClickHouseQuantilesAreOurs: SQL reports the number that was acted upon.
func TestClickHouseQuantilesAreOurs(t *testing.T) {
	s := newServer(t)
	f := func(name string, hs ...*Histogram) {
		t.Helper()
		s.fill(nil, hs...)
		merged := new(Histogram)
		for _, h := range hs {
			merged.Merge(h)
		}
		for i, got := range s.quantiles() {
			if want := merged.Quantile(quantiles[i]); math.Abs(got-want) > 1e-9*math.Abs(want) {
				t.Errorf("%s: quantile %v = %v, here %v", name, quantiles[i], got, want)
			}
		}
	}
	f("lognormal", deal(latencies(20000, 1, 1), 5)...)
	f("below 1", deal([]float64{1e-9, 3e-6, 0.001, 0.5, 0.999, 1, 17}, 2)...)
	f("both signs", deal([]float64{-1000, -1.5, -0.001, 0, 0, 0.7, 3, 4e6}, 3)...)
	f("range limits", of(1e-300), of(math.Ldexp(1, -1021)), of(1e-299))
	f("largest", of(math.MaxFloat64), of(1e300), of(1e308))
	big := of(1, 100)
	big.AddN(50, 1<<40)
	f("large counts", big, of(2))
	f("empty among others", of(), of(5), of())
}

// TestClickHouseStateHasOurBuckets compares a native state key by key.
func TestClickHouseStateHasOurBuckets(t *testing.T) {
	s := newServer(t)
	f := func(name string, vs []float64) {
		t.Helper()
		s.fill(vs)
		var state string
		sql := "SELECT CAST(quantilesDDState(" + ddArguments() + ")(v) AS String) FROM vals"
		if err := s.conn.QueryRow(context.Background(), sql).Scan(&state); err != nil {
			t.Fatal(err)
		}
		native, ours := readState(t, []byte(state)), readState(t, of(vs...).AppendQuantilesDD(nil))
		if diff := cmp.Diff(native, ours, cmp.AllowUnexported(ddSketch{})); diff != "" {
			t.Errorf("%s (-native +ours):\n%s", name, diff)
		}
	}
	// None of these values is a power of two, where the conventions differ.
	f("lognormal", latencies(20000, 0.5, 1))
	f("bimodal", bimodal(20000, 1))
	f("both signs and zero", []float64{-5e6, -1.5, 0, 0, 3, 1000, 1e12})
}

// TestClickHouseCoarseStates: a state below scale 5 is read within its own error, and does
// not spoil what it is merged with.
func TestClickHouseCoarseStates(t *testing.T) {
	s := newServer(t)
	fast, slow := latencies(10000, 0.3, 1), latencies(10001, 0.3, 2)
	for i := range slow {
		slow[i] *= 1000
	}
	sorted := slices.Sorted(slices.Values(append(slices.Clone(fast), slow...)))
	for shift := uint(1); shift <= 7; shift++ {
		coarse := of(slow...)
		coarse.downscale(shift)
		gamma := math.Exp2(math.Exp2(float64(-coarse.Scale())))
		s.fill(fast[:5000], append(deal(fast[5000:], 3), coarse)...)
		for i, got := range s.quantiles() {
			want := exact(sorted, quantiles[i])
			if quantiles[i] < 0.5 {
				if !withinError(got, want, finestError) {
					t.Errorf("scale %d: quantile %v of the fine part = %v, want %v ± 1.083 %%", coarse.Scale(), quantiles[i], got, want)
				}
				continue
			}
			if ratio := got / want; ratio > gamma*(1+finestError) || ratio < (1-finestError)/gamma {
				t.Errorf("scale %d: quantile %v of the coarse part = %v, want %v within a factor of %v", coarse.Scale(), quantiles[i], got, want, gamma)
			}
		}
	}
}
