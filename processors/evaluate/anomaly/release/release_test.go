package release

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/flyball-io/flyball"
)

func minute(n int) flyball.Time { return flyball.Time(n) * flyball.Time(time.Minute) }

func TestBefore(t *testing.T) {
	l, k := NewLog(), Key{"spans", "checkout"}
	l.See(k, "1.4.1", minute(0))
	l.See(k, "1.4.0", minute(0))
	for i := range 120 {
		l.See(k, "1.4.1", minute(i))
		if i >= 60 {
			l.See(k, "1.4.2", minute(i))
		}
	}
	l.See(k, "1.4.0", minute(119)) // rolled back
	f := func(at int, want string) {
		t.Helper()
		v, ok := l.Before(k, minute(at))
		if ok != (want != "") || ok && v.Name != want {
			t.Errorf("at %d: %v, %v; want %q", at, v, ok, want)
		}
	}
	f(0, "") // what is there first has not appeared
	f(59, "")
	f(60, "1.4.2")
	f(90, "1.4.2")
	f(91, "")
	f(120, "1.4.0")
	if _, ok := l.Before(Key{"spans", "cart"}, minute(60)); ok {
		t.Error("another entity has it, too")
	}
}

func TestIn(t *testing.T) {
	l := NewLog()
	f := func(labels, want string) {
		t.Helper()
		for range 2 { // read, then remembered
			if got := l.In(labels); got != want {
				t.Errorf("%s: %q, want %q", labels, got, want)
			}
		}
	}
	f(`{"service.name":"cart"}`, "")
	f(`{"service.name":"cart","service.version":"1.9"}`, "1.9")
	f(`{"service.name":"cart","service.version":""}`, "")
	f(`{"service.name":"cart","service.version":"__overflow__"}`, "")
}

// What it says does not depend on where it was committed, taken back or restored.
func TestLaw(t *testing.T) {
	type sight struct {
		entity, version string
		at              flyball.Time
	}
	keys := []Key{{"spans", "a"}, {"spans", "b/c"}}
	rapid.Check(t, func(t *rapid.T) {
		whole, cut, state := NewLog(), NewLog(), map[Key][]byte{}
		now := minute(0)
		var open []sight
		see := func(l *Log, s sight) { l.See(Key{"spans", s.entity}, s.version, s.at) }
		save := func() {
			cut.Changed(func(k Key, value []byte) {
				if value == nil {
					delete(state, k)
				} else {
					state[k] = value
				}
			})
		}
		for range rapid.IntRange(1, 80).Draw(t, "steps") {
			switch rapid.IntRange(0, 5).Draw(t, "what") {
			case 0:
				save()
				cut.Commit()
				open = nil
			case 1:
				cut.Abort()
				for _, s := range open {
					see(cut, s)
				}
			case 2:
				save()
				cut.Commit()
				cut, open = NewLog(), nil
				for k, value := range state {
					if err := cut.Restore(k, value); err != nil {
						t.Fatal(err)
					}
				}
			default:
				now = now.Add(rapid.SampledFrom([]time.Duration{0, time.Minute, 20 * time.Minute, 2 * time.Hour, 9 * 24 * time.Hour}).Draw(t, "later"))
				s := sight{rapid.SampledFrom([]string{"a", "b/c"}).Draw(t, "entity"), rapid.SampledFrom([]string{"1", "2", "3"}).Draw(t, "version"), now}
				see(whole, s)
				see(cut, s)
				open = append(open, s)
			}
			for _, k := range keys {
				a, aok := whole.Before(k, now)
				b, bok := cut.Before(k, now)
				if diff := cmp.Diff(a, b); diff != "" || aok != bok {
					t.Fatalf("%v: %s", k, diff)
				}
			}
		}
	})
}

// What has not been seen for eight days is dropped.
func TestForget(t *testing.T) {
	l, k := NewLog(), Key{"spans", "a"}
	l.See(k, "1", minute(0))
	l.Commit()
	l.Forget("logs", minute(20*1440))
	l.Forget("spans", minute(1440))
	l.Changed(func(k Key, _ []byte) { t.Errorf("%v is forgotten", k) })
	l.Forget("spans", minute(9*1440))
	gone := false
	l.Changed(func(_ Key, value []byte) { gone = value == nil })
	if !gone {
		t.Error("it is remembered after nine days")
	}
}
