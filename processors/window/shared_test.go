package window

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
)

// sharedCases reads the window cases collected from the tests of other engines.
func sharedCases(t *testing.T) []sharedCase {
	dir := os.Getenv("FLYBALL_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared")
	}
	b, err := os.ReadFile(filepath.Join(dir, "data", "window_cases.json"))
	if err != nil {
		t.Skipf("no shared window cases: %v; set FLYBALL_SHARED", err)
	}
	var file struct{ Cases []sharedCase }
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	return file.Cases
}

type sharedCase struct {
	ID, Dialect string
	Config      struct{ Channels int32 }
	Ops         []map[string]json.RawMessage
	Steps       []struct {
		WM     *[2]int64
		Status *[2]any
		Out    []any
	}
	Expect json.RawMessage
}

// notOurs says which cases of these dialects do not apply, and why.
var notOurs = map[string]string{
	"valve-wm-while-idle-ignored": "a mark says idle and how far at once: an idle partition has no samples to move its watermark",
}

// TestWatermarksOfFlinksMultiplexer runs the cases of outputs that register, emit,
// become idle and go away. Registering a partition is knowing that its topic has
// it; one that is revoked comes back with its next owner, so that unregistering
// has no counterpart and changes nothing.
func TestWatermarksOfFlinksMultiplexer(t *testing.T) {
	ran := 0
	for _, c := range sharedCases(t) {
		if c.Dialect != "per-partition-watermark" {
			continue
		}
		ran++
		t.Run(c.ID, func(t *testing.T) {
			var want struct{ Last *int64 }
			if err := json.Unmarshal(c.Expect, &want); err != nil {
				t.Fatal(err)
			}
			got := multiplexed(t, c)
			switch {
			case want.Last == nil && got != none:
				t.Errorf("the watermark is %d, want none", got)
			case want.Last != nil && got != flyball.Time(*want.Last):
				t.Errorf("the watermark is %d, want %d", got, *want.Last)
			}
		})
	}
	if ran < 7 {
		t.Errorf("%d cases ran, want 7", ran)
	}
}

func multiplexed(t *testing.T, c sharedCase) flyball.Time {
	w := NewWatermarks(spans)
	id, at, of := map[string]int32{}, map[string]flyball.Time{}, int32(0)
	for _, op := range c.Ops {
		var name string
		switch {
		case op["register"] != nil:
			decode(t, op["register"], &name)
			id[name], at[name] = of, none
			of++
		case op["idle"] != nil:
			decode(t, op["idle"], &name)
			w.Mark(mark(id[name], of, at[name], true))
		case op["emit"] != nil:
			var emit [2]any
			decode(t, op["emit"], &emit)
			name = emit[0].(string)
			at[name] = flyball.Time(emit[1].(float64))
			w.Mark(mark(id[name], of, at[name], false))
		}
	}
	return w.Of("spans")
}

func decode(t *testing.T, data json.RawMessage, into any) {
	t.Helper()
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatal(err)
	}
}

// TestWatermarksOfFlinksValve runs the cases of channels with a status. A channel
// that is declared active again says so with the watermark that it had.
func TestWatermarksOfFlinksValve(t *testing.T) {
	ran := 0
	for _, c := range sharedCases(t) {
		if c.Dialect != "watermark-valve" || notOurs[c.ID] != "" {
			continue
		}
		ran++
		t.Run(c.ID, func(t *testing.T) {
			w := NewWatermarks(spans)
			of := c.Config.Channels
			channels := make([]processors.Mark, of)
			for i := range channels {
				channels[i] = mark(int32(i), of, none, false)
			}
			for i, s := range c.Steps {
				before := w.Of("spans")
				var ch *processors.Mark
				switch {
				case s.WM != nil:
					ch = &channels[s.WM[0]]
					ch.Watermark = max(ch.Watermark, flyball.Time(s.WM[1]))
				default:
					ch = &channels[int(s.Status[0].(float64))]
					ch.Idle = s.Status[1] == "IDLE"
				}
				w.Mark(*ch)
				want := before
				for _, out := range s.Out {
					if at, ok := out.(float64); ok {
						want = flyball.Time(at)
					}
				}
				if got := w.Of("spans"); got != want {
					t.Errorf("after step %d the watermark is %d, want %d", i+1, got, want)
				}
			}
		})
	}
	if ran < 6 {
		t.Errorf("%d cases ran, want 6", ran)
	}
}
