package evaluate

import (
	"testing"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/detectors/anomaly/series"
	"github.com/flyball-io/flyball/processors"
)

// TestAnomalyStateVolume measures what is written of 100 series with the real ensemble,
// for each window and number: the snapshots and the journal between, in place of 13.5 KB
// for every one. A successor goes on as if nothing had been.
func TestAnomalyStateVolume(t *testing.T) {
	cfg := watched()
	cfg.Detectors = cfg.Detectors[:1]
	cfg.Detectors[0].SeriesLimit, cfg.Detectors[0].FalseAlarms, cfg.Detectors[0].Horizon = 1000, 0.1, time.Hour
	cfg.Detectors[0].Watches = []flyball.Watch{{Indicator: "errors", Values: []flyball.WindowValue{flyball.ValueRate, flyball.ValueErrorRatio}}}
	cfg.Indicators = cfg.Indicators[1:]
	cfg.Indicators[0].SeriesLimit, cfg.SLOs = 1000, nil
	cfg.Anomaly = series.New
	const many, windows = 100, 300
	d := newDriver(t, cfg)
	var written, keys int
	for i := range windows {
		w := newLogWriter(int64(i))
		start := flyball.Time(0).Add(time.Duration(i) * 5 * time.Second)
		for s := range many {
			name := string(rune('a'+s/26)) + string(rune('a'+s%26))
			w.writer.Append(rowOf("errors", name, "", start, w.rng.Intn(3), make([]float64, 20+w.rng.Intn(10))...))
		}
		w.record(processors.Mark{Source: "logs", Topic: "logs", Of: 1, Watermark: start.Add(5 * time.Second)})
		r := w.log[0]
		r.Offset = int64(i)
		d.log = append(d.log, r)
		ready := d.machine.Step(Input{Records: []Record{r}})
		for _, c := range ready.State {
			written += len(c.Value)
			keys++
		}
		var out output
		out.take(ready)
		d.durable(out, ready.State, ready.Resume)
		d.machine.Commit()
		d.at = i + 1
		if i == 200 {
			d.restart()
		}
	}
	perWindow := float64(written) / (windows * many * 2)
	t.Logf("%.0f bytes of state for each window, series and number, in %.2f records a window", perWindow, float64(keys)/windows)
	if perWindow > 200 {
		t.Errorf("%.0f bytes, want 200 at most", perWindow)
	}
	for _, f := range d.out.Findings {
		t.Errorf("found in noise: %s", f.Summary)
	}
	undisturbed := reference(cfg, d.log)
	if got, want := len(d.out.Bands), len(undisturbed.out.Bands); got != want || want != windows*many*2 {
		t.Fatalf("%d bands, undisturbed %d", got, want)
	}
	for i := range d.out.Bands {
		if got, want := d.out.Bands[i], undisturbed.out.Bands[i]; got.Digits != want.Digits || !(got.High == want.High || got.High != got.High && want.High != want.High) {
			t.Fatalf("after a restart %+v, undisturbed %+v", got, want)
		}
	}
}
