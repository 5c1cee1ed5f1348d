package scenario

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/flyball-io/flyball"
)

// peerCase is a case of another engine's test suite: its inputs and what must
// come out, restated as data.
type peerCase struct {
	ID     string `json:"id"`
	Config struct {
		Size     int64  `json:"size"`
		Slide    int64  `json:"slide"`
		Lateness int64  `json:"lateness"`
		Grace    int64  `json:"grace"`
		Channels int32  `json:"channels"`
		SizeMin  int64  `json:"size_min"`
		DelayMin int64  `json:"watermark_delay_min"`
		DelayS   int64  `json:"watermark_delay_s"`
		WaitS    int64  `json:"wait_s"`
		Window   string `json:"window"`
		SizeS    int64  `json:"size_s"`
		SlideS   int64  `json:"slide_s"`
	} `json:"config"`
	Ops         []map[string]json.RawMessage `json:"ops"`
	Steps       []map[string]json.RawMessage `json:"steps"`
	Expect      json.RawMessage              `json:"expect"`
	ExpectFinal []emission                   `json:"expect_final"`
	ExpectState []emission                   `json:"expect_state"`
	LateDropped []element                    `json:"late_dropped"`
}

// element is a sample of a case.
type element struct {
	Key   string          `json:"key"`
	Value json.RawMessage `json:"value"`
	TS    int64           `json:"ts"`
	Index int             `json:"index"` // of the op, where late_dropped says
}

// emission is a window that a case expects.
type emission struct {
	Key    string   `json:"key"`
	Window [2]int64 `json:"window"`
	Value  tally    `json:"value"`
}

// tally is a count, or as many as were joined by a "+" after a "0".
type tally int64

func (n *tally) UnmarshalJSON(b []byte) error {
	if joined := strings.Count(string(b), "+"); joined > 0 {
		*n = tally(joined)
		return nil
	}
	return json.Unmarshal(b, (*int64)(n))
}

// translation says how a case is put to our windows and watermarks.
type translation struct {
	// run runs it; nil when it is about something that Flyball does not have.
	run func(t *testing.T, c peerCase, ours string)
	// rule is why it is not run, or in what we differ: a sentence of
	// docs/semantics.md.
	rule string
	// ours is what comes out here where that differs from the case, in the form
	// that run knows.
	ours string
}

// The rules in which Flyball differs from a peer. Each is a sentence of
// docs/semantics.md.
const (
	ruleWhole     = "A correction holds the whole window again, not what was added to it."
	ruleBusy      = "A partition in which something was read is not idle: its mark counts at once, whatever it said before."
	ruleWallClock = "The wall clock never moves a watermark."
	ruleIgnored   = "A mark that lies behind is ignored, not refused."
	ruleNegative  = "Windows begin before the epoch, too."
	ruleSession   = "There are no session windows."
	ruleEarly     = "A window is reported when it closes, and never before."
	ruleReorder   = "Samples are not put in order and handed on: they are folded as they come."
	ruleQueries   = "There is no query language, and there are no joins."
)

// translations has every case of the data.
func translations() map[string]translation {
	same := func(run func(*testing.T, peerCase, string)) translation { return translation{run: run} }
	no := func(rule string) translation { return translation{rule: rule} }
	list := map[string]translation{
		"flink-tumble-3s-restore":                                            same(runWatermarkCase),
		"flink-lateness-tumble-purging":                                      {runWatermarkCase, ruleWhole, "3"},
		"flink-lateness-tumble-accumulating":                                 same(runWatermarkCase),
		"flink-cleanup-overflow":                                             same(runOverflowCase),
		"flink-drop-late-tumble":                                             same(runWatermarkCase),
		"flink-drop-late-hop":                                                same(runWatermarkCase),
		"flink-session-zero-lateness":                                        no(ruleSession),
		"valve-wm-while-idle-ignored":                                        {runValveCase, ruleBusy, "25 - 50 - -"},
		"ks-final-tumble-largejump":                                          same(runStreamTimeCase),
		"beam-first-element-late":                                            same(runBeamLateCase),
		"beam-early-panes":                                                   no(ruleEarly),
		"beam-watermark-monotonic":                                           {runBeamMonotonicCase, ruleIgnored, ""},
		"bytewax-wm-is_item_timestamp_minus_wait":                            same(runMarkCase),
		"bytewax-wm-forwards_by_system_time":                                 {runMarkCase, ruleWallClock, "2"},
		"bytewax-wm-does_not_reverse_and_forwards_by_system_time_next_batch": {runMarkCase, ruleWallClock, "2"},
		"bytewax-wm-does_not_reverse_advancing_item_is_slower_than_system_time_gap": {runMarkCase, ruleWallClock, "3"},
		"arroyo-cars-hourly-tight-watermark":                                        no("its input is not part of the data"),
		"risingwave-eowc-hour":                                                      same(runHourCase),
		"risingwave-doc-late":                                                       same(runDocLateCase),
		"ekuiper-reorder-5ms":                                                       no(ruleReorder),
	}
	for _, id := range []string{"valve-single-increasing", "valve-single-decreasing", "valve-all-channels-needed",
		"valve-multi-increasing", "valve-multi-status", "valve-partially-idle"} {
		list[id] = same(runValveCase)
	}
	for _, id := range []string{"wmux-idle-then-wm", "wmux-min-of-active", "wmux-all-idle-max", "wmux-no-regress-after-idle",
		"wmux-zero-partitions", "wmux-remove-lowest-not-immediate", "wmux-remove-highest-no-retract"} {
		list[id] = same(runMultiplexerCase)
	}
	for _, id := range []string{"ks-hop-updates", "ks-emit-final-interval0", "ks-emit-final-no-progress", "ks-emit-final-after-restart"} {
		list[id] = translation{runHoppingCase, ruleNegative, ""}
	}
	for _, id := range []string{"assign-hop-10s-5s-at13", "assign-hop-10s-5s-at-3", "assign-hop-10s-5s-at3", "assign-hop-10s-5s-at7", "assign-hop-10s-5s-at15",
		"assign-hop-10s-5s-at0", "assign-hop-10s-3s-at11", "assign-hop-10s-3s-at-1", "assign-hop-10s-3s-at-1.5", "assign-hop-10s-3s-at5",
		"assign-hop-10s-7s-at14", "assign-hop-10s-7s-at-7"} {
		list[id] = same(runAssignCase)
	}
	for _, id := range []string{"ks-final-session-gap5", "ks-session-apart", "ks-session-late-zero-grace", "ks-session-late-grace1",
		"arroyo-session-20s-keyed", "arroyo-session-global"} {
		list[id] = no(ruleSession)
	}
	for _, id := range []string{"nexmark-q7", "nexmark-q8", "nexmark-q12"} {
		list[id] = no(ruleQueries)
	}
	return list
}

// TestPeersCases puts the cases of other engines to our windows and watermarks.
func TestPeersCases(t *testing.T) {
	shared := os.Getenv("FLYBALL_SHARED")
	if shared == "" {
		shared = filepath.Join("..", "..", "..", "shared")
	}
	text, err := os.ReadFile(filepath.Join(shared, "data", "window_cases.json"))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("the cases are not there (%v): set FLYBALL_SHARED to the folder that holds data/window_cases.json", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	var data struct {
		Cases []json.RawMessage `json:"cases"`
	}
	if err := json.Unmarshal(text, &data); err != nil {
		t.Fatal(err)
	}
	known := translations()
	ran := 0
	for _, raw := range data.Cases {
		var id struct {
			ID string `json:"id"`
		}
		if err := json.Unmarshal(raw, &id); err != nil {
			t.Fatal(err)
		}
		tr, ok := known[id.ID]
		if !ok {
			t.Errorf("case %s is not translated", id.ID)
			continue
		}
		delete(known, id.ID)
		if tr.run == nil {
			continue
		}
		ran++
		t.Run(id.ID, func(t *testing.T) {
			var c peerCase
			if err := json.Unmarshal(raw, &c); err != nil {
				t.Fatal(err)
			}
			tr.run(t, c, tr.ours)
		})
	}
	for id := range known {
		t.Errorf("there is no case %s in the data", id)
	}
	t.Logf("%d of %d cases run", ran, len(data.Cases))
}

// TestRulesAreDocumented: every rule in which we differ from a peer is in the
// manual.
func TestRulesAreDocumented(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "semantics.md"))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(strings.Fields(string(page)), " ")
	for id, tr := range translations() {
		if tr.rule != "" && strings.HasSuffix(tr.rule, ".") && !strings.Contains(text, tr.rule) {
			t.Errorf("docs/semantics.md lacks the rule of case %s: %s", id, tr.rule)
		}
	}
}

func must[T any](t *testing.T, raw json.RawMessage) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return v
}

// ms converts the milliseconds of a case.
func ms(n int64) flyball.Time { return flyball.Time(n * int64(time.Millisecond)) }
