package main

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/apache/arrow/go/v17/arrow/ipc"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/histogram"
	"github.com/flyball-io/flyball/sinks/clickhouse"
)

const (
	services = 20
	routes   = 20 // of each service
	pane     = 10 // seconds
)

// begin is when the fleet starts, Unix seconds.
const begin = 1_790_000_000

// fill records windows and status of a fleet: services of different load that goes up
// and down with the hour, lognormal latencies, rare failures, and an incident.
func fill(ctx context.Context, db *clickhouse.DB, hours int) error {
	random := rand.New(rand.NewPCG(1, 2))
	w := db.Writer()
	total, bad := [services]int64{}, [services]int64{}
	const batch = 30 // panes in a record
	panes := hours * 3600 / pane
	for from := 0; from < panes; from += batch {
		var windows processors.Windows
		var status processors.SLOStatus
		for i := from; i < min(from+batch, panes); i++ {
			for s := range services {
				n, b := windowsOf(&windows, random, s, i)
				total[s] += n
				bad[s] += b
				if i%6 == 5 {
					status.Append(statusOf(s, i, total[s], bad[s]))
				}
			}
		}
		token := fmt.Sprint("storage:0:", from, "-", from+batch)
		if err := insert(ctx, w, clickhouse.TableWindows, windows.Encode(), token); err != nil {
			return err
		}
		if err := insert(ctx, w, clickhouse.TableSLOStatus, status.Encode(), token); err != nil {
			return err
		}
	}
	return nil
}

func insert(ctx context.Context, w *clickhouse.Writer, table string, data []byte, token string) error {
	r, err := ipc.NewReader(bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("cannot read %s: %w", table, err)
	}
	defer r.Release()
	for r.Next() {
		if err := w.Insert(ctx, table, r.Record(), token); err != nil {
			return err
		}
	}
	return r.Err()
}

// windowsOf appends the windows of a service in one pane.
func windowsOf(out *processors.Windows, random *rand.Rand, service, i int) (total, bad int64) {
	var h histogram.Histogram
	for route := range routes {
		load := 200 / float64(1+service) / float64(1+route) * (1 + 0.5*math.Sin(float64(i)/180))
		n := int64(load + math.Sqrt(load)*random.NormFloat64())
		if n <= 0 {
			continue
		}
		h.Reset()
		var sum, least, most float64
		failed := int64(0)
		for k := range n {
			v := math.Round(20e6 * math.Exp(0.6*random.NormFloat64()+float64(route)/10))
			if random.Float64() < 0.001 || service == 3 && i%360 > 340 && random.Float64() < 0.2 {
				failed++
			}
			h.Add(v)
			sum += v
			if k == 0 || v < least {
				least = v
			}
			most = max(most, v)
		}
		start := flyball.Time((begin + int64(i)*pane) * 1e9)
		name := fmt.Sprint("service-", service)
		out.Append(processors.WindowRow{
			Indicator: "requests", Entity: name, Labels: fmt.Sprintf(`{"http.route":"/api/v1/resource-%d/{id}","service.name":"%s"}`, route, name),
			Start: start, End: start.Add(pane * 1e9), Revision: 1, Count: n, Bad: failed,
			Sum: sum, Min: least, Max: most, P50: h.Quantile(0.5), P90: h.Quantile(0.9), P95: h.Quantile(0.95), P99: h.Quantile(0.99),
			Complete: true, Hist: h.AppendQuantilesDD(nil),
		})
		total, bad = total+n, bad+failed
	}
	return total, bad
}

// statusOf is the status of a service's budget.
func statusOf(service, i int, total, bad int64) processors.SLORow {
	at := flyball.Time((begin + int64(i+1)*pane) * 1e9)
	sli := flyball.SLI(total, bad)
	burn := (1 - sli) / 0.001
	name := fmt.Sprint("service-", service)
	return processors.SLORow{
		SLO: "availability", Entity: name, Labels: `{"service.name":"` + name + `"}`, At: at, Total: total, Bad: bad, SLI: sli, Target: 0.999,
		BudgetConsumed: burn, Tiers: []string{"page_fast", "page_slow", "ticket_fast", "ticket_slow"},
		BurnLong: []float64{burn, burn, burn, burn}, BurnShort: []float64{burn, burn, burn, burn}, Complete: true, State: "OK",
		PeriodStart: at.Add(-30 * 86400e9), PeriodEnd: at, Exhausts1h: 86400 / burn, Exhausts6h: 86400 / burn, Exhausts3d: 86400 / burn,
		ExhaustsTrend: math.NaN(), ExhaustsEarliest: math.NaN(), ExhaustsLatest: math.NaN(), SLIHighest: math.NaN(),
	}
}
