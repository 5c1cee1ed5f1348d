package ui

import (
	"context"
	"math"
	"time"

	dto "github.com/prometheus/client_model/go"
)

// Health is how the pipeline does, as this process sees it.
type Health struct {
	// State is ok, late, stopped or starting; Sentence says it to people.
	State, Sentence string
	Roles           []string
	Uptime          time.Duration
	// Delay is from the end of the newest window to now; Recorded whether there is one.
	Delay    time.Duration
	Recorded bool
	// Lag is how many records of sources are not read yet, NaN when this process does not
	// read any. Watermark is how far the slowest source is behind the clock.
	Lag       float64
	Watermark float64
	// DeadLetters, Rejected, Aborted and Limited count since the process started.
	DeadLetters, Rejected, Aborted, Limited float64
}

// lateAfter is the delay from which on results are late.
const lateAfter = 5 * time.Minute

func (s *Server) health(ctx context.Context) (Health, error) {
	h := Health{Roles: s.Roles, Uptime: time.Since(s.StartedAt).Truncate(time.Second), Lag: math.NaN(), Watermark: math.NaN()}
	newest, err := s.data.Latest(ctx)
	if err != nil {
		return h, err
	}
	if h.Recorded = !newest.IsZero(); h.Recorded {
		h.Delay = time.Since(newest).Truncate(time.Second)
	}
	if families, err := s.Metrics.Gather(); err == nil {
		h.read(families)
	}
	switch {
	case !s.Ready():
		h.State, h.Sentence = "starting", "No transaction has been committed yet."
	case !h.Recorded:
		h.State, h.Sentence = "starting", "It runs, and no window has closed yet."
	case h.Delay > 12*lateAfter:
		h.State, h.Sentence = "stopped", "No window has closed for long: is telemetry coming?"
	case h.Delay > lateAfter:
		h.State, h.Sentence = "late", "Results are behind the clock."
	default:
		h.State, h.Sentence = "ok", "Results keep up with the clock."
	}
	return h, nil
}

// read takes the numbers of this process.
func (h *Health) read(families []*dto.MetricFamily) {
	for _, f := range families {
		sum, least := 0.0, math.Inf(1)
		for _, m := range f.Metric {
			x := m.GetCounter().GetValue() + m.GetGauge().GetValue()
			if f.GetName() == "flyball_transactions_total" && label(m, "result") != "aborted" {
				continue
			}
			sum += x
			if x > 0 {
				least = math.Min(least, x)
			}
		}
		switch f.GetName() {
		case "flyball_source_lag_records":
			h.Lag = sum
		case "flyball_watermark_seconds":
			if !math.IsInf(least, 1) {
				h.Watermark = float64(time.Now().UnixMilli())/1000 - least
			}
		case "flyball_dead_letters_total":
			h.DeadLetters = sum
		case "flyball_rejected_samples_total":
			h.Rejected = sum
		case "flyball_transactions_total":
			h.Aborted = sum
		case "flyball_limited_total":
			h.Limited = sum
		}
	}
}

func label(m *dto.Metric, name string) string {
	for _, l := range m.Label {
		if l.GetName() == name {
			return l.GetValue()
		}
	}
	return ""
}
