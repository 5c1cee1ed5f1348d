package command

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/flyball-io/flyball"
)

// talk says on standard error how far a run is: on a terminal only, but for its end.
type talk struct {
	w        io.Writer
	terminal bool
	began    time.Time
	shown    time.Time
}

func newTalk(w io.Writer) *talk {
	t := &talk{w: w, began: time.Now()}
	if f, ok := w.(*os.File); ok {
		info, err := f.Stat()
		t.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return t
}

// showEvery is the least time between two states of the bar.
const showEvery = 100 * time.Millisecond

func (t *talk) progress(at flyball.Time, share float64) {
	if !t.terminal || time.Since(t.shown) < showEvery {
		return
	}
	t.shown = time.Now()
	const width = 30
	done := int(min(max(share, 0), 1) * width)
	fmt.Fprintf(t.w, "\r[%s%s] %3.0f%%  %s ", strings.Repeat("#", done), strings.Repeat(".", width-done), share*100, at.Std().Format(time.RFC3339))
}

// ended says how fast a run was, and begins another.
func (t *talk) ended(span time.Duration) {
	took := time.Since(t.began)
	if t.terminal {
		fmt.Fprint(t.w, "\r\x1b[K")
	}
	fmt.Fprintf(t.w, "%s of history in %s: %.0f times real time\n", span.Round(time.Second), took.Round(time.Millisecond), span.Seconds()/max(took.Seconds(), 1e-9))
	t.began = time.Now()
}
