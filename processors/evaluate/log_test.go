package evaluate

import (
	"bytes"
	"math"
	"math/rand"
	"time"

	"pgregory.net/rapid"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/counter"
)

// logWriter writes a log of the panes topic as random senders would: rows around
// a clock that moves on, late ones, much too late ones, broken ones, and marks of
// partitions that advance, fall idle and come back.
type logWriter struct {
	rng     *rand.Rand // rapid's own numbers are mostly small; it draws the seed
	log     []Record
	offset  int64
	now     flyball.Time
	plain   bool // without points of cumulative streams
	writer  processors.PaneWriter
	reached map[processors.Mark]flyball.Time // watermark of each partition; the key has its name only
}

var partitions = []processors.Mark{
	{Source: "spans", Topic: "otlp", Partition: 0, Of: 2},
	{Source: "spans", Topic: "otlp", Partition: 1, Of: 2},
	{Source: "spans", Topic: "zipkin", Partition: 0, Of: 1},
	{Source: "logs", Topic: "logs", Partition: 0, Of: 1},
}

func newLogWriter(seed int64) *logWriter {
	w := &logWriter{rng: rand.New(rand.NewSource(seed)), now: 1_700_000_000 * second, reached: map[processors.Mark]flyball.Time{}}
	for _, p := range partitions {
		w.reached[p] = flyball.NoTime
	}
	return w
}

// rowOf is a partial pane of one sample or more; bad of them are bad.
func rowOf(indicator, service, route string, start flyball.Time, bad int, values ...float64) processors.PaneRow {
	p := processors.NewPane()
	for _, v := range values {
		p.Observe(v)
	}
	r := processors.PaneRow{
		Indicator: indicator, Entity: service, Labels: flyball.LabelsOf("service.name", service, "http.route", route).JSON(),
		Start: start, Count: int64(len(values)), Bad: int64(bad), Sum: p.Sum, Min: p.Min, Max: p.Max,
	}
	if indicator == "latency" {
		r.Hist = p.Hist.AppendBinary(nil)
	}
	return r
}

func one[T any](w *logWriter, of ...T) T { return of[w.rng.Intn(len(of))] }

// seconds returns one of these durations.
func (w *logWriter) seconds(of ...int) time.Duration {
	return time.Duration(one(w, of...)) * time.Second
}

// drawPoint writes a point of a cumulative stream that grows by one in three seconds and
// begins anew every ten minutes, or does not say when it began.
func (w *logWriter) drawPoint() {
	at := w.now.Add(-w.seconds(0, 0, 1, 3, 7, 10, 20, 30, 70, 200))
	id := w.rng.Intn(5)
	p := counter.Point{Stream: flyball.StreamID{Lo: uint64(id)}, Start: at.Floor(10 * time.Minute), At: at, Bad: id == 3}
	p.Value = math.Floor(at.Sub(p.Start).Seconds() / 3)
	if id == 2 {
		p.Start = 0
	}
	r := rowOf("latency", one(w, "api", "cart"), one(w, "/a", "/b"), at.Floor(10*time.Second), 0)
	if id > 2 {
		r = rowOf("errors", "pay", "", at.Floor(5*time.Second), 0)
		p.Stream.Hi = 1
	}
	r.Hist, r.Point = nil, p.AppendBinary(nil)
	if w.rng.Intn(60) == 0 {
		r.Point = r.Point[:5]
	}
	w.writer.Append(r)
}

func (w *logWriter) drawRow() {
	if !w.plain && w.rng.Intn(3) == 0 {
		w.drawPoint()
		return
	}
	start := w.now.Add(-w.seconds(0, 0, 0, 3, 10, 20, 30, 50, 70, 200))
	values := make([]float64, 1+w.rng.Intn(4))
	for i := range values {
		values[i] = math.Exp(w.rng.Float64() * 20)
	}
	bad := w.rng.Intn(len(values) + 1)
	service := one(w, "api", "cart", "pay", "", "svc/x")
	r := rowOf("errors", service, "", start.Floor(5*time.Second), bad, values...)
	if w.rng.Intn(3) > 0 {
		r = rowOf("latency", service, one(w, "/a", "/b", "/c", ""), start.Floor(10*time.Second), bad, values...)
	}
	switch w.rng.Intn(60) {
	case 0:
		r.Hist = []byte{0xff, 1}
	case 1:
		r.Indicator = "gone"
	case 2:
		r.Labels = "{"
	case 3:
		r.Count = -1
	}
	w.writer.Append(r)
}

// drawMarks lets all partitions speak, or some.
func (w *logWriter) drawMarks() (marks []processors.Mark) {
	if w.rng.Intn(2) == 0 {
		for _, p := range partitions {
			marks = append(marks, w.drawMark(p))
		}
		return marks
	}
	for range w.rng.Intn(3) {
		marks = append(marks, w.drawMark(one(w, partitions...)))
	}
	return marks
}

func (w *logWriter) drawMark(p processors.Mark) processors.Mark {
	m := p
	m.Idle = w.rng.Intn(6) == 0
	m.Stalled = !m.Idle && (7*w.offset+int64(m.Partition))%11 == 3
	if !m.Idle && !m.Stalled {
		w.reached[p] = max(w.reached[p], w.now.Add(-w.seconds(1, 2, 8, 25)))
	}
	m.Watermark = w.reached[p]
	return m
}

// record ends a record with the rows and these marks.
func (w *logWriter) record(marks ...processors.Mark) {
	w.log = append(w.log, Record{Offset: w.offset, Panes: w.writer.Encode(), Marks: marks})
	w.offset++
}

// finish lets every partition pass far beyond what was written.
func (w *logWriter) finish(after time.Duration) {
	var marks []processors.Mark
	for _, p := range partitions {
		p.Watermark = w.now.Add(after)
		marks = append(marks, p)
	}
	w.record(marks...)
}

func drawLog(t *rapid.T) []Record { return drawLogOf(t, false) }

func drawLogOf(t *rapid.T, plain bool) []Record {
	w := newLogWriter(rapid.Int64().Draw(t, "seed"))
	w.plain = plain
	w.now = w.now.Add(time.Duration(w.rng.Intn(60)) * time.Second)
	for range rapid.IntRange(1, 60).Draw(t, "records") {
		for range w.rng.Intn(10) {
			w.drawRow()
		}
		w.record(w.drawMarks()...)
		w.offset += one(w, int64(0), 0, 0, 1, 7) // holes, as transaction markers leave them
		if w.rng.Intn(60) == 0 {
			w.record()
			w.log[len(w.log)-1].Panes = bytes.Repeat([]byte("no arrow"), 5)
		}
		w.now = w.now.Add(w.seconds(0, 1, 4, 9, 10, 10, 15, 45, 400, 1500))
	}
	w.finish(w.seconds(0, 60, 3600, 3*3600))
	return w.log
}
