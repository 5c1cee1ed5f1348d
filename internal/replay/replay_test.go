package replay

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/loadgen"
	"github.com/flyball-io/flyball/internal/loadgen/shop"
)

// began is when the telemetry of tests begins.
var began = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// shopLoad is a shop in which the checkout fails for a minute, and later again.
func shopLoad() loadgen.Config {
	c := loadgen.Default()
	c.Shop.Rate, c.Shop.Duration, c.Shop.Start = 60, 6*time.Minute, began
	c.Shop.Incidents = []shop.Incident{{Kind: shop.ErrorBurst, Service: "checkout", Start: 3 * time.Minute, Duration: time.Minute, Severity: 0.5},
		{Kind: shop.ErrorBurst, Service: "checkout", Start: 5 * time.Minute, Duration: time.Minute, Severity: 0.5}}
	c.Unpaced, c.Partitions = true, 3
	return c
}

// record writes the telemetry of a shop to files.
func record(t testing.TB, c loadgen.Config) (dir string) {
	t.Helper()
	c.Dir = t.TempDir()
	if _, err := loadgen.Run(t.Context(), c, nil); err != nil {
		t.Fatal(err)
	}
	return c.Dir
}

// load reads the configuration of tests, changed by pairs of what to replace by what.
func load(t testing.TB, replace ...string) *config.Config {
	t.Helper()
	text, err := os.ReadFile("testdata/shop/shop.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(replace); i += 2 {
		if !strings.Contains(string(text), replace[i]) {
			t.Fatalf("the configuration does not say %q", replace[i])
		}
		text = []byte(strings.ReplaceAll(string(text), replace[i], replace[i+1]))
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "shop.yaml"), text, 0o644); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// result is what came of a run.
type result struct {
	decisions []flyball.Decision
	summary   *Summary
}

// fromFiles runs a configuration over files.
func fromFiles(t testing.TB, c Config, dir string) result {
	t.Helper()
	feed, err := OpenFiles(t.Context(), c.Spec, dir)
	if err != nil {
		t.Fatal(err)
	}
	defer feed.Close()
	return over(t, c, feed)
}

// during is a Config without bounds.
func during(c *config.Config) Config {
	return Config{Spec: c, From: flyball.NoTime, To: flyball.NoTime, Outcomes: AssumeSuccess, ActionTime: DefaultActionTime}
}

func over(t testing.TB, c Config, feed Feed) (r result) {
	t.Helper()
	c.Decision = func(d *flyball.Decision) error {
		r.decisions = append(r.decisions, *d)
		return nil
	}
	s, err := Run(t.Context(), c, feed)
	if err != nil {
		t.Fatal(err)
	}
	r.summary = s
	return r
}

// verbs is the course of a run.
func verbs(list []flyball.Decision) (out []string) {
	for _, d := range list {
		out = append(out, fmt.Sprintf("%s %s %s", d.Verb, d.Action.Name, d.Target))
	}
	return out
}

func TestIncidentIsDecidedAndVerified(t *testing.T) {
	dir := record(t, shopLoad())
	got := fromFiles(t, during(load(t)), dir)
	on := " rollback deployment/checkout"
	// It is too early for another rollback when it fails again.
	want := []string{"act" + on, "accepted" + on, "verifying" + on, "effective" + on, "suppress" + on}
	if diff := cmp.Diff(want, verbs(got.decisions)); diff != "" {
		t.Fatal(diff)
	}
	incident := flyball.TimeOf(began.Add(3 * time.Minute))
	if at := got.decisions[0].At; at < incident || at > incident.Add(time.Minute) {
		t.Errorf("decided at %s, the incident began at %s", at, incident)
	}
	s := got.summary
	if s.Samples == 0 || s.Records == 0 || s.Windows == 0 || len(s.Rejected) > 0 || len(s.DeadLetters) > 0 {
		t.Errorf("summary: %+v", s)
	}
	if diff := cmp.Diff([]CommandCount{{"rollback-on-burn", "rollback", "deployment/checkout", 1}}, s.Commands); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]FindingCount{{"burn_rate", "page", 2}}, s.Findings); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]int64{"cooldown": 1}, s.Refusals); diff != "" {
		t.Error(diff)
	}
	if span := s.Span(); span < 5*time.Minute || span > 7*time.Minute {
		t.Errorf("span %s", span)
	}
}

// Without an executor the command ends at its deadline, and people are told.
func TestNobodyReports(t *testing.T) {
	c := during(load(t, "deadline: 35s", "deadline: 15s"))
	c.Outcomes = AssumeNone
	got := verbs(fromFiles(t, c, record(t, shopLoad())).decisions)
	if len(got) < 2 || got[1] != "unknown rollback deployment/checkout" {
		t.Errorf("%q", got)
	}
}

// The number of partitions and another run change nothing: the same, byte for byte.
func TestSameForAnyPartitions(t *testing.T) {
	dir := record(t, shopLoad())
	text := func(partitions int32) string {
		c := during(load(t))
		c.Partitions = partitions
		r := fromFiles(t, c, dir)
		out, err := json.Marshal([]any{r.decisions, r.summary})
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	want := text(3)
	if !strings.Contains(want, `"verb":"act"`) {
		t.Fatal("nothing was decided")
	}
	for _, n := range []int32{0, 1, 7} {
		if got := text(n); got != want {
			t.Errorf("%d partitions: %s", n, cmp.Diff(want, got))
		}
	}
}

// What is outside of the bounds is not there, and time ends with them.
func TestBounds(t *testing.T) {
	dir := record(t, shopLoad())
	c := during(load(t))
	c.To = flyball.TimeOf(began.Add(3 * time.Minute))
	before := fromFiles(t, c, dir)
	if len(before.decisions) > 0 || before.summary.Outside == 0 || before.summary.To >= c.To {
		t.Errorf("before the incident: %q, %+v", verbs(before.decisions), before.summary)
	}
	within := during(load(t))
	within.To = c.To.Add(500 * time.Millisecond) // time ends between two steps
	if r := fromFiles(t, within, dir); r.summary.Samples <= before.summary.Samples {
		t.Errorf("%d samples half a second later, and %d before", r.summary.Samples, before.summary.Samples)
	}
	c.From, c.To = c.To, flyball.NoTime
	after := fromFiles(t, c, dir)
	if len(after.decisions) == 0 || after.summary.From < c.From {
		t.Errorf("from the incident on: %+v", after.summary)
	}
	if n := before.summary.Records + after.summary.Records; n != before.summary.Records+before.summary.Outside {
		t.Errorf("%d records of %d", n, before.summary.Records+before.summary.Outside)
	}
}

// A record that cannot be read costs itself.
func TestRejectedRecords(t *testing.T) {
	dir := record(t, shopLoad())
	whole := fromFiles(t, during(load(t)), dir)
	name := filepath.Join(dir, "otlp_spans-1.otlp")
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	text = append(loadgen.AppendFrame(nil, []byte("\xff\xff not a span")), text...)
	if err := os.WriteFile(name, text, 0o644); err != nil {
		t.Fatal(err)
	}
	got := fromFiles(t, during(load(t)), dir)
	if got.summary.Rejected["malformed"] != 1 || got.summary.Samples != whole.summary.Samples {
		t.Errorf("%+v", got.summary)
	}
	if diff := cmp.Diff(whole.decisions, got.decisions); diff != "" {
		t.Error(diff)
	}
	if err := os.WriteFile(name, text[:len(text)-3], 0o644); err != nil {
		t.Fatal(err)
	}
	feed, err := OpenFiles(t.Context(), load(t), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer feed.Close()
	if _, err := Run(t.Context(), during(load(t)), feed); err == nil || !strings.Contains(err.Error(), name) {
		t.Errorf("a file that is cut off: %v", err)
	}
}

// list is a lane of records at certain times.
type list []Record

func (l *list) next(context.Context) (*Record, error) {
	if len(*l) == 0 {
		return nil, io.EOF
	}
	r := (*l)[0]
	*l = (*l)[1:]
	return &r, nil
}

func TestMergesByTime(t *testing.T) {
	f := func(want string, lanes ...[]int64) {
		t.Helper()
		in := map[Partition]lane{}
		for i, times := range lanes {
			p := Partition{"t", int32(i)}
			l := &list{}
			for _, at := range times {
				*l = append(*l, Record{Partition: p, At: flyball.Time(at)})
			}
			in[p] = l
		}
		m, err := newMerger(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for {
			r, err := m.next(t.Context())
			if err == io.EOF {
				break
			}
			got = append(got, fmt.Sprintf("%c%d", 'a'+r.Index, r.At))
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%v: got %s, want %s", lanes, s, want)
		}
	}
	f("", nil)
	f("a1 b2 a3 b4", []int64{1, 3}, []int64{2, 4})
	f("a1 b1 a2 c5", []int64{1, 2}, []int64{1}, []int64{5})
	f("b1 b2 a3 a1 b4", []int64{3, 1}, []int64{1, 2, 4}) // what stands behind came no earlier
}

func TestNoFiles(t *testing.T) {
	f := func(name, want string) {
		t.Helper()
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenFiles(t.Context(), load(t), dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	f("other-0.otlp", `it holds no file of the topics "otlp_spans"`)
	f("otlp_spans.otlp", "TOPIC-PARTITION.otlp")
	f("otlp_spans-0.txt", "TOPIC-PARTITION.otlp")
	if _, err := OpenFiles(t.Context(), load(t), filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a directory that is not there")
	}
}
