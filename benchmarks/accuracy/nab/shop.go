package main

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"sort"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/detectors/anomaly"
	"github.com/flyball-io/flyball/internal/loadgen/shop"
)

const (
	shopDays = 21
	shopWarm = 7 * 24 * time.Hour // before the first incident
	shopStep = time.Minute
	shopRate = 20.0
	// shopGrace is for how long after an incident alarms are put down to it.
	shopGrace = 30 * time.Minute
)

// shopReport is what was found of the incidents of the shop.
type shopReport struct {
	Kinds map[shop.Kind]*shopKind `json:"kinds"`
	// Precision is the share of alarms that fall into an incident, Recall the share
	// of incidents that raise one.
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
	// FalsePerSeriesWeek is alarms outside of incidents.
	FalsePerSeriesWeek float64 `json:"false_alarms_per_series_week"`
}

// shopKind is what was found of one kind of incident.
type shopKind struct {
	Incidents int `json:"incidents"`
	Found     int `json:"found"`
	// MedianDelay from the start, in seconds.
	MedianDelay float64 `json:"median_delay_s"`
	delays      []float64
}

// schedule has an incident every few hours: kinds and services by turns.
func schedule() []shop.Incident {
	var list []shop.Incident
	services := []string{"checkout", "payment", "catalog", "cart", "frontend"}
	known := map[string]bool{}
	for _, s := range shop.DefaultServices() {
		known[s.Name] = true
	}
	services = slices.DeleteFunc(services, func(s string) bool { return !known[s] })
	at, i := shopWarm+3*time.Hour, 0
	for ; at < shopDays*24*time.Hour-6*time.Hour; i++ {
		kind := []shop.Kind{shop.ErrorBurst, shop.LatencyRegression, shop.SlowDependency, shop.Silence}[i%4]
		list = append(list, shop.Incident{Kind: kind, Service: services[(i/4)%len(services)], Start: at, Duration: 20 * time.Minute})
		at += 5*time.Hour + 37*time.Minute
	}
	return list
}

// cell gathers a service's requests of one step.
type cell struct {
	count, failed int
	took          []float64
}

// value returns the points of a service: requests, the share that failed, and
// the 95th percentile of latency.
func (c *cell) values() [3]float64 {
	if c == nil || c.count == 0 {
		return [3]float64{0, math.NaN(), math.NaN()}
	}
	sort.Float64s(c.took)
	return [3]float64{float64(c.count), float64(c.failed) / float64(c.count), c.took[min(len(c.took)*95/100, len(c.took)-1)]}
}

// watched is one series of the shop.
type watched struct {
	detectors [3]*anomaly.Ensemble
}

// alarm is one alarm of the shop.
type shopAlarm struct {
	at      time.Duration
	service string
}

// shop runs the shop, judges every service, and compares with the schedule.
func (r *report) shop(w io.Writer) error {
	cfg := shop.Default()
	cfg.Seed, cfg.Rate, cfg.DailyAmplitude, cfg.Duration = 5, shopRate, 0.5, shopDays*24*time.Hour
	cfg.Start = time.Date(2024, 3, 4, 0, 0, 0, 0, time.UTC)
	cfg.Incidents = schedule()
	s, err := shop.New(cfg)
	if err != nil {
		return err
	}
	watch := map[string]*watched{}
	var alarms []shopAlarm
	for at := shopStep; at <= cfg.Duration; at += shopStep {
		cells := map[string]*cell{}
		spans := s.Next(cfg.Start.Add(at))
		for i := range spans {
			x := &spans[i]
			if x.Kind() != shop.KindServer {
				continue
			}
			c := cells[x.Service()]
			if c == nil {
				c = &cell{}
				cells[x.Service()] = c
			}
			c.count++
			if x.Failed() {
				c.failed++
			}
			c.took = append(c.took, float64(x.Duration()))
		}
		if alarms, err = observe(watch, cells, cfg.Start, at, alarms); err != nil {
			return err
		}
	}
	r.Shop = compare(alarms, s.Labels(), cfg.Start, 3*len(watch))
	return r.Shop.print(w, 3*len(watch))
}

// observe judges one step.
func observe(watch map[string]*watched, cells map[string]*cell, start time.Time, at time.Duration, alarms []shopAlarm) ([]shopAlarm, error) {
	for name := range cells {
		if watch[name] != nil {
			continue
		}
		x := &watched{}
		for i := range x.detectors {
			d, err := anomaly.New(anomaly.Default())
			if err != nil {
				return nil, err
			}
			x.detectors[i] = d
		}
		watch[name] = x
	}
	for _, name := range slices.Sorted(maps.Keys(watch)) {
		for i, v := range cells[name].values() {
			p := anomaly.Point{At: flyball.TimeOf(start.Add(at)), Value: v, Count: 1}
			if watch[name].detectors[i].Observe(p).Alarm && at > shopWarm {
				alarms = append(alarms, shopAlarm{at, name})
			}
		}
	}
	return alarms, nil
}

// compare says which incidents raised an alarm, and which alarms came without.
func compare(alarms []shopAlarm, labels []shop.Label, start time.Time, series int) shopReport {
	out := shopReport{Kinds: map[shop.Kind]*shopKind{}}
	right := make([]bool, len(alarms))
	found := 0
	for _, l := range labels {
		k := out.Kinds[l.Kind]
		if k == nil {
			k = &shopKind{}
			out.Kinds[l.Kind] = k
		}
		k.Incidents++
		first := time.Duration(-1)
		for i, a := range alarms {
			since := start.Add(a.at).Sub(l.Start)
			// Callers feel an incident, and whom they call gets less to do.
			if since < 0 || start.Add(a.at).After(l.End.Add(shopGrace)) {
				continue
			}
			right[i] = true
			if slices.Contains(l.Affected, a.service) && !start.Add(a.at).After(l.End) && first < 0 {
				first = since
			}
		}
		if first >= 0 {
			found++
			k.Found++
			k.delays = append(k.delays, first.Seconds())
		}
	}
	wrong := 0
	for _, ok := range right {
		if !ok {
			wrong++
		}
	}
	for _, k := range out.Kinds {
		slices.Sort(k.delays)
		if n := len(k.delays); n > 0 {
			k.MedianDelay = k.delays[n/2]
		}
	}
	weeks := (shopDays*24*time.Hour - shopWarm).Hours() / (7 * 24)
	out.FalsePerSeriesWeek = float64(wrong) / float64(series) / weeks
	out.Precision = 1 - float64(wrong)/float64(max(len(alarms), 1))
	out.Recall = float64(found) / float64(len(labels))
	return out
}

func (s *shopReport) print(w io.Writer, series int) error {
	t := table(w)
	fmt.Fprintf(t, "\nsimulated shop, %d series, %d days of minutes\tincidents\tfound\tmedian delay\t\n", series, shopDays)
	for _, kind := range slices.Sorted(maps.Keys(s.Kinds)) {
		k := s.Kinds[kind]
		fmt.Fprintf(t, "%s\t%d\t%d\t%.0f s\t\n", kind, k.Incidents, k.Found, k.MedianDelay)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "  recall %.2f, precision %.2f, false alarms per series and week %.3f\n", s.Recall, s.Precision, s.FalsePerSeriesWeek)
	return err
}
