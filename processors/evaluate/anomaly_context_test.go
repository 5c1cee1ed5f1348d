package evaluate

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
)

// changes drives the error ratio of two versions of a service.
type changes struct {
	*driver
	at flyball.Time
}

func newChanges(t *testing.T, edit func(*Config)) *changes {
	cfg := watched()
	cfg.Detectors = cfg.Detectors[:1]
	cfg.Detectors[0].Watches = []flyball.Watch{{Indicator: "errors", Values: []flyball.WindowValue{flyball.ValueErrorRatio}}}
	if edit != nil {
		edit(&cfg)
	}
	return &changes{driver: newDriver(t, cfg), at: flyball.TimeOf(time.Unix(1_700_000_000, 0))}
}

// pane adds five seconds with so many bad samples of a hundred for each version.
func (c *changes) pane(bad map[string]int64) {
	w := newLogWriter(1)
	for _, version := range []string{"1.4.1", "1.4.2"} {
		if n, ok := bad[version]; ok {
			w.writer.Append(processors.PaneRow{Indicator: "errors", Entity: "cart", Labels: fmt.Sprintf(`{"service.name":"cart","service.version":%q}`, version),
				Start: c.at, Count: 100, Bad: n, Min: math.Inf(1), Max: math.Inf(-1)})
		}
	}
	c.at = c.at.Add(5 * time.Second)
	w.record(processors.Mark{Source: "logs", Topic: "logs", Of: 1, Watermark: c.at})
	w.log[0].Offset = int64(len(c.log))
	c.log = append(c.log, w.log[0])
}

// TestAfterARelease: what begins just after a version has appeared says so, whether or
// not the engine was started anew in between; what begins long after does not.
func TestAfterARelease(t *testing.T) {
	f := func(panes int, restart bool, want string) {
		t.Helper()
		c := newChanges(t, nil)
		for range 30 {
			c.pane(map[string]int64{"1.4.1": 10})
		}
		for range panes {
			c.pane(map[string]int64{"1.4.1": 10, "1.4.2": 10})
		}
		c.drain()
		if restart {
			c.restart()
		}
		c.pane(map[string]int64{"1.4.1": 60, "1.4.2": 10})
		c.drain()
		if len(c.out.Findings) != 1 {
			t.Fatalf("%d findings, want 1", len(c.out.Findings))
		}
		finding := c.out.Findings[0]
		if got := strings.Contains(finding.Summary, want); !got {
			t.Errorf("after %d panes it says %q, want %q in it", panes, finding.Summary, want)
		}
		told := strings.Contains(finding.Summary, "appeared")
		seconds := math.NaN()
		for _, e := range finding.Evidence {
			if e.Name == "after_release" {
				seconds = e.Value
			}
		}
		if told == math.IsNaN(seconds) || told && seconds != float64(5*panes) {
			t.Errorf("after %d panes the evidence is %v seconds, it says %q", panes, seconds, finding.Summary)
		}
	}
	f(4, false, "; began 20s after cart 1.4.2 appeared")
	f(24, true, "; began 2m0s after cart 1.4.2 appeared")
	f(400, false, "")
	c := newChanges(t, nil)
	for range 30 {
		c.pane(map[string]int64{"1.4.1": 10, "1.4.2": 10})
	}
	c.pane(map[string]int64{"1.4.1": 60, "1.4.2": 10})
	c.drain()
	if s := c.out.Findings[0].Summary; strings.Contains(s, "appeared") {
		t.Errorf("what was there first has appeared: %s", s)
	}
}

// TestMaintenanceMutes: what is left out is recorded with the reason, and an anomaly that
// is open meanwhile stays as it is.
func TestMaintenanceMutes(t *testing.T) {
	c := newChanges(t, func(cfg *Config) {
		cfg.Detectors[0].Exclusions = []flyball.Exclusion{{Name: "database upgrade", Start: time.Unix(1_700_000_155, 0), Length: 50 * time.Second}}
	})
	for range 30 {
		c.pane(map[string]int64{"1.4.1": 10})
	}
	for range 30 { // from 150 s on; 155 s to 205 s are left out
		c.pane(map[string]int64{"1.4.1": 60})
	}
	for range 40 {
		c.pane(map[string]int64{"1.4.1": 10})
	}
	c.drain()
	muted := 0
	for _, b := range c.out.Bands {
		if b.Muted == "" {
			continue
		}
		muted++
		if b.Muted != "database upgrade" || b.Observed != 0.6 || !math.IsNaN(b.Expected) || b.Alarm {
			t.Errorf("a muted window is %+v", b)
		}
	}
	if muted != 10 {
		t.Errorf("%d windows are muted, want 10", muted)
	}
	var said []string
	for _, f := range c.out.Findings {
		if f.Kind != "anomaly" {
			continue
		}
		said = append(said, string(f.State))
	}
	if got := strings.Join(said, " "); got != "opened resolved" {
		t.Errorf("the anomaly is %s", got)
	}
}
