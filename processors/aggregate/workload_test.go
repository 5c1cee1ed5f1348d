package aggregate

import (
	"fmt"
	"math"
	"math/rand"
	"time"

	"github.com/flyball-io/flyball"
)

// table is a list of label sets, as the dictionary of a source would intern them.
type table struct {
	generation uint64
	rows       [][]string
}

func (t *table) Values(set uint32, dst []string) []string { return append(dst, t.rows[set]...) }
func (t *table) Sets() int                                { return len(t.rows) }
func (t *table) Generation() uint64                       { return t.generation }

// workload is spans of services and routes with durations of a long tail, in the
// order of time but for a second of disorder.
func workload(series, samples int) (*table, Samples) {
	rng := rand.New(rand.NewSource(1))
	tab := &table{generation: 1}
	for i := range series {
		tab.rows = append(tab.rows, []string{fmt.Sprint("service-", i/5), fmt.Sprint("/route/", i%5), "200"})
	}
	s := Samples{Topic: "otlp", Values: [][]float64{nil}, MaxTime: 0}
	for i := range samples {
		at := flyball.Time(1_700_000_000_000_000_000).Add(time.Duration(i)*20*time.Microsecond - time.Duration(rng.Intn(1e9)))
		s.Time = append(s.Time, int64(at))
		s.Set = append(s.Set, uint32(rng.Intn(series)))
		s.Values[0] = append(s.Values[0], math.Exp(rng.NormFloat64()+16))
		s.MaxTime = max(s.MaxTime, at)
	}
	return tab, s
}

func latencyConfig() Config {
	slow, err := flyball.ParseMatcher("duration > 30ms")
	if err != nil {
		panic(err)
	}
	return Config{
		Source: flyball.Source{Name: "spans", Topics: []string{"otlp"}, OutOfOrderness: 5 * time.Second, IdleTimeout: 10 * time.Second},
		Indicators: []flyball.Indicator{{
			Name: "latency", Source: "spans", Entity: "service.name", GroupBy: []string{"service.name", "http.route"},
			Value: "duration", Bad: []flyball.Matcher{slow}, Pane: 10 * time.Second, Window: time.Minute, SeriesLimit: 100_000,
		}},
		Labels: []string{"service.name", "http.route", "status"}, Values: []string{"duration"}, Partitions: 8,
	}
}
