package input

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var sources = []Source{
	{Name: "spans", Topics: []string{"spans"}, Value: "duration"},
	{Name: "orders", Topics: []string{"orders", "returns"}},
}

// describe writes arrivals as text, one per line.
func describe(in *Input) string {
	var b strings.Builder
	for _, a := range in.Arrivals {
		fmt.Fprintf(&b, "%s/%d at %s event %s %v %d!%d", a.Topic, a.Partition, FormatDuration(a.At), FormatDuration(a.Event), a.Series.Labels, a.Total, a.Bad)
		if !math.IsNaN(a.From) {
			fmt.Fprintf(&b, " %s=%v..%v", a.Series.Value, time.Duration(a.From), time.Duration(a.To))
		}
		if len(a.Series.With) > 0 {
			fmt.Fprintf(&b, " with %v", a.Series.With)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestParse(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		in, err := Parse(text, sources)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			return
		}
		if diff := cmp.Diff(strings.TrimPrefix(want, "\n"), describe(in)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
	f(`partition 0 cart: 5x2 _ 3!1`, `
spans/0 at 0s event 0s {service.name="cart"} 5!0
spans/0 at 10s event 10s {service.name="cart"} 5!0
spans/0 at 30s event 30s {service.name="cart"} 3!1
`)
	f(`partition 0 cart: 50~5x2 50!1@100ms~8ms`, `
spans/0 at 0s event 0s {service.name="cart"} 54!0
spans/0 at 10s event 10s {service.name="cart"} 50!0
spans/0 at 20s event 20s {service.name="cart"} 50!1 duration=106.479114ms..106.479114ms
`)
	f(`partition 2 cart{http.route="/a:b"} from 1m step 1s : 1+2x3 9-3!1+1x2`, `
spans/2 at 1m event 1m {http.route="/a:b", service.name="cart"} 1!0
spans/2 at 1m1s event 1m1s {http.route="/a:b", service.name="cart"} 3!0
spans/2 at 1m2s event 1m2s {http.route="/a:b", service.name="cart"} 5!0
spans/2 at 1m3s event 1m3s {http.route="/a:b", service.name="cart"} 9!1
spans/2 at 1m4s event 1m4s {http.route="/a:b", service.name="cart"} 6!2
`)
	f(`partition 0 {a="b"} late 30s: 1@120ms`, `
spans/0 at 30s event 0s {a="b"} 1!0 duration=120ms..120ms
`)
	f(`partition 0 cart skew -30s from 1m: 1@1.5s-500msx2 # a comment`, `
spans/0 at 1m event 30s {service.name="cart"} 1!0 duration=1.5s..1.5s
spans/0 at 1m10s event 40s {service.name="cart"} 1!0 duration=1s..1s
`)
	f(`partition 0 cart from -20s dup: 2!1`, `
spans/0 at -20s event -20s {service.name="cart"} 2!1
spans/0 at -20s event -20s {service.name="cart"} 2!1
`)
	f("step 4s\npartition 0 cart spread: 4!1@1ms..4ms", `
spans/0 at 0s event 0s {service.name="cart"} 1!0 duration=1ms..1ms
spans/0 at 1s event 1s {service.name="cart"} 1!0 duration=2ms..2ms
spans/0 at 2s event 2s {service.name="cart"} 1!0 duration=3ms..3ms
spans/0 at 3s event 3s {service.name="cart"} 1!1 duration=4ms..4ms
`)
	f("source orders\npartition returns/1 cart value took with amount=5 size=1ms: 1@5s\npartition 0 cart: 1", `
returns/1 at 0s event 0s {service.name="cart"} 1!0 took=5s..5s with map[amount:5 size:1e+06]
orders/0 at 0s event 0s {service.name="cart"} 1!0
`)
	// What arrives first comes first; of equal times, the line that is first.
	f("partition 0 b from 5s: 1\npartition 0 a: 1\npartition 1 c from 5s: 1", `
spans/0 at 0s event 0s {service.name="a"} 1!0
spans/0 at 5s event 5s {service.name="b"} 1!0
spans/1 at 5s event 5s {service.name="c"} 1!0
`)
}

func TestParsePartitions(t *testing.T) {
	f := func(text string, want map[string]int32) {
		t.Helper()
		in, err := Parse(text, sources)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, in.Partitions); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
	f("", map[string]int32{"spans": 1, "orders": 1, "returns": 1})
	f("partition 2 a: 1", map[string]int32{"spans": 3, "orders": 1, "returns": 1})
	f("partitions 1\npartition 2 a: 1\nsource orders\npartitions returns 4", map[string]int32{"spans": 1, "orders": 1, "returns": 4})
}

func TestParseErrors(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		_, err := Parse(text, sources)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error is %v, want one with %q", text, err, want)
		}
	}
	f("partition 0 cart 5x6", "a colon")
	f("\npartition 0 cart:", "line 2: want a partition and a series before the colon, and items")
	f("partition 0: 5", "want partition")
	f("partition x cart: 5", `number of a partition, got "x"`)
	f("partition orders/0 cart: 5", `source "spans" has no topic "orders" (it reads spans)`)
	f("partition 0 cart: 5y", `cannot read item "5y"`)
	f("partition 0 cart: 5!6", "6 of 5 samples are bad")
	f("partition 0 cart: 3-1x5", "below 0 in step 5")
	f("partition 0 cart: 5x0", "x0")
	f("partition 0 cart step 1d: _x200000", "longer than 292 years")
	f("partition 0 cart: 1x1000001", "1 to 1000000 steps")
	f("partition 0 cart: 6000000x2", "more than 10000000 samples")
	f("partition 0 cart spread: 2000000000", "more than 10000000 samples")
	f("partition 0 cart late -5s: 1", "skew +5s")
	f("partition 0 cart step 0s: 1", "above 0")
	f("partition 0 cart later 5s: 1", `got "later"`)
	f("partition 0 cart with: 1", "name=number")
	f(`partition 0 {a=b}: 1`, `{name="value"`)
	f(`partition 0 {a="b" c="d"}: 1`, "comma")
	f(`partition 0 cart{service.name="x"}: 1`, `"service.name" is given twice`)
	f(`partition 0 {a="b: 1`, "quotes")
	f(`partition 0 {a="b": 1`, "braces")
	f("source nothing", "one of spans, orders")
	f("partitions", "a number")
	f("partitions 0", `got "0"`)
	f("bad", "what bad samples have")
	f("step", "a duration")
	f("window 5", "starts with")
	f("source orders\npartition 0 cart: 1@5ms", "say which field")
}

func TestSample(t *testing.T) {
	in, err := Parse(`bad {status.code="ERROR"} with status=503
partition 0 cart with size=7 status=200: 3!1@1ms..3ms`, sources)
	if err != nil {
		t.Fatal(err)
	}
	f := func(i int64, wantCode string, wantStatus, wantDuration float64) {
		t.Helper()
		label, number := in.Arrivals[0].Sample(i)
		if label("service.name") != "cart" || label("status.code") != wantCode || number("status") != wantStatus ||
			number("duration") != wantDuration || number("size") != 7 || !math.IsNaN(number("else")) {
			t.Errorf("sample %d: %q %v %v %v", i, label("status.code"), number("status"), number("duration"), number("else"))
		}
	}
	f(0, "", 200, 1e6)
	f(1, "", 200, 2e6)
	f(2, "ERROR", 503, 3e6)
}

func TestFormatDuration(t *testing.T) {
	f := func(d time.Duration, want string) {
		t.Helper()
		got := FormatDuration(d)
		back, err := Duration(got)
		if got != want || err != nil || back != d {
			t.Errorf("%v is %q, which reads as %v, %v; want %q", d, got, back, err, want)
		}
	}
	f(0, "0s")
	f(70*time.Second, "1m10s")
	f(-10*time.Second, "-10s")
	f(time.Hour, "1h")
	f(24*time.Hour, "1d")
	f(26*time.Hour+time.Minute, "1d2h1m")
	f(1500*time.Millisecond, "1.5s")
}

func FuzzParse(f *testing.F) {
	f.Add("partitions 2\nbad {a=\"b\"} with x=1\nstep 1m\npartition 0 cart{c=\"d\"} from -1m late 5s dup spread with y=3s: 5-1!2+1@1ms..5msx3 _x2 # end")
	f.Add("source orders\npartition returns/1 {a=\"\\\"\"} value took skew +1d: 1@-2e3-1e2x4")
	f.Fuzz(func(t *testing.T, text string) {
		in, err := Parse(text, sources)
		if err != nil {
			return
		}
		for i := range in.Arrivals {
			a := &in.Arrivals[i]
			if a.Total <= 0 || a.Bad < 0 || a.Bad > a.Total || a.Partition < 0 || i > 0 && a.At < in.Arrivals[i-1].At {
				t.Fatalf("arrival %+v", a)
			}
		}
	})
}
