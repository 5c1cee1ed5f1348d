package grouping

import (
	"fmt"
	"maps"
	"math/rand"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flyball-io/flyball"
)

// world is a machine with a state topic and receivers that take everything, or nothing.
type world struct {
	t         *testing.T
	receivers []Receiver
	machine   *Machine
	state     map[string][]byte
	now       flyball.Time
	down      map[string]bool
	receipts  []Receipt
	told      []string
	ids       map[string]int
	untold    map[Untold]int
	limited   map[string]int
}

var start = flyball.TimeOf(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))

func newWorld(t *testing.T, receivers ...Receiver) *world {
	return &world{t: t, receivers: receivers, machine: New(receivers), state: map[string][]byte{}, now: start,
		down: map[string]bool{}, ids: map[string]int{}, untold: map[Untold]int{}, limited: map[string]int{}}
}

// step steps the machine and tells what is due, once per receiver.
func (w *world) step(entries ...Entry) {
	r := w.machine.Step(w.now, entries, w.receipts)
	for _, c := range r.State {
		if c.Value == nil {
			delete(w.state, c.Key)
		} else {
			w.state[c.Key] = c.Value
		}
	}
	for k, n := range r.Untold {
		w.untold[k] += n
	}
	for k, n := range r.Limited {
		w.limited[k] += n
	}
	w.machine.Commit()
	w.receipts = nil
	for _, rc := range w.receivers {
		d := w.machine.Next(rc.Name, w.now)
		if d == nil {
			continue
		}
		if !w.down[rc.Name] {
			w.told = append(w.told, line(w.now, d))
			w.ids[d.ID]++
		}
		w.receipts = append(w.receipts, Receipt{Delivery: d, Told: !w.down[rc.Name]})
	}
}

// line says in a line what was told.
func line(now flyball.Time, d *Delivery) string {
	var parts []string
	for _, f := range d.Findings {
		parts = append(parts, f.ID+"="+string(f.State))
	}
	for _, x := range d.Decisions {
		parts = append(parts, string(x.Verb)+map[bool]string{true: "!"}[x.Severity != ""])
	}
	status := string(d.Status)
	if d.Repeat > 0 {
		status += fmt.Sprintf("#%d", d.Repeat)
	}
	return fmt.Sprintf("%v %s %s %s %s: %s", now.Sub(start), d.Receiver, d.Group, status, d.Severity, strings.Join(parts, " "))
}

// pass steps every second.
func (w *world) pass(d time.Duration) {
	for end := w.now.Add(d); w.now < end; {
		w.now = w.now.Add(time.Second)
		w.step()
	}
}

// restart begins anew with what is in the state topic.
func (w *world) restart() {
	w.machine = New(w.receivers)
	for _, key := range slices.Sorted(maps.Keys(w.state)) {
		if err := w.machine.Restore(key, w.state[key]); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *world) expect(lines ...string) {
	w.t.Helper()
	if diff := cmp.Diff(lines, w.told); diff != "" {
		w.t.Errorf("told (-want +got):\n%s", diff)
	}
	w.told = nil
}

var oncall = Receiver{Name: "oncall", Wait: 5 * time.Second}

func finding(id string, revision int, state flyball.FindingState, severity string) Entry {
	return Entry{Finding: &flyball.Finding{ID: id, Revision: revision, Kind: "burn_rate", State: state, Severity: severity, Entity: "cart",
		Labels: flyball.LabelsOf("service.name", "cart"), Detector: "availability", At: start, OpenedAt: start, Summary: id, Notify: []string{"oncall"}}}
}

func decision(id string, verb flyball.Verb, about string, names ...string) Entry {
	return Entry{Decision: &flyball.Decision{ID: id, Verb: verb, At: start.Add(time.Second), Finding: about, Entity: "cart", Rule: "r",
		Target: "deploy/cart", Action: flyball.Action{Name: "restart"}, Operation: "o", Notify: names}}
}

func TestLifeOfAFinding(t *testing.T) {
	w := newWorld(t, oncall)
	w.step(finding("a", 1, flyball.FindingOpened, "ticket"))
	w.pass(4 * time.Second)
	w.expect()
	w.pass(time.Minute)
	w.expect("5s oncall entity/cart firing ticket: a=opened")
	w.step(finding("a", 2, flyball.FindingUpdated, "ticket")) // no news
	w.pass(time.Minute)
	w.expect()
	w.step(finding("a", 3, flyball.FindingUpdated, "page"), finding("a", 3, flyball.FindingUpdated, "page"))
	w.pass(time.Minute)
	w.expect("2m9s oncall entity/cart firing page: a=updated")
	w.step(finding("a", 4, flyball.FindingResolved, "page"), finding("a", 4, flyball.FindingResolved, "page"))
	w.pass(time.Minute)
	w.expect("3m9s oncall entity/cart resolved page: a=resolved")
	if len(w.state) != 0 {
		t.Errorf("something is remembered: %v", w.state)
	}
}

func TestResolvedBeforeItWasTold(t *testing.T) {
	w := newWorld(t, oncall)
	w.step(finding("a", 1, flyball.FindingOpened, "page"))
	w.pass(2 * time.Second)
	w.step(finding("a", 2, flyball.FindingResolved, "page"))
	w.pass(time.Minute)
	w.expect()
	if w.untold[Untold{"oncall", Over}] != 1 || len(w.state) != 0 {
		t.Errorf("%v, %v", w.untold, w.state)
	}
}

func TestGroups(t *testing.T) {
	w := newWorld(t, oncall)
	w.step(finding("a", 1, flyball.FindingOpened, "ticket"))
	w.pass(3 * time.Second)
	w.step(finding("b", 1, flyball.FindingOpened, "page"))
	w.pass(time.Minute)
	w.expect("5s oncall entity/cart firing page: a=opened b=opened")
	w.step(finding("b", 2, flyball.FindingResolved, "page"))
	w.pass(time.Minute)
	w.expect("1m8s oncall entity/cart firing ticket: a=opened b=resolved")
	w.step(finding("a", 2, flyball.FindingResolved, "ticket"))
	w.pass(time.Minute)
	w.expect("2m8s oncall entity/cart resolved ticket: a=resolved")
}

func TestWhoIsTold(t *testing.T) {
	f := func(r Receiver, e Entry, told bool) {
		t.Helper()
		r.Name, r.Wait = map[bool]string{true: "oncall", false: r.Name}[r.Name == ""], time.Second
		w := newWorld(t, r)
		w.step(finding("a", 1, flyball.FindingOpened, "info"), e)
		w.pass(10 * time.Second)
		if got := len(w.told) > 0; got != told {
			t.Errorf("%+v is told: %v\n%v", r, got, w.told)
		}
	}
	page := finding("b", 1, flyball.FindingOpened, "page")
	nobody := finding("b", 1, flyball.FindingOpened, "page")
	nobody.Finding.Notify = nil
	f(Receiver{}, page, true)
	f(Receiver{Name: "other"}, page, false)
	f(Receiver{Name: "other", CatchAll: true}, page, false)
	f(Receiver{Name: "other", CatchAll: true}, nobody, true)
	f(Receiver{}, nobody, false)
	f(Receiver{Severities: []string{"ticket"}}, page, false)
	f(Receiver{Severities: []string{"page"}}, page, true)
	f(Receiver{Services: []string{"pay", "c*"}}, page, true)
	f(Receiver{Services: []string{"pay"}}, page, false)
	f(Receiver{}, decision("d", flyball.VerbPage, "a", "oncall"), true)
	f(Receiver{}, decision("d", flyball.VerbPage, "a", "other"), false)
	f(Receiver{}, decision("d", flyball.VerbPage, "a"), false)
	f(Receiver{CatchAll: true}, decision("d", flyball.VerbPage, "a"), true)
	f(Receiver{}, decision("d", flyball.VerbSuggest, "a", "oncall"), true)
	f(Receiver{}, decision("d", flyball.VerbAwait, "a", "oncall"), true)
	f(Receiver{}, decision("d", flyball.VerbUnknown, "a", "oncall"), true)
	f(Receiver{}, decision("d", flyball.VerbAct, "a", "oncall"), true)
	f(Receiver{}, decision("d", flyball.VerbAct, "a"), false)
	f(Receiver{CatchAll: true}, decision("d", flyball.VerbAct, "a"), false)
	f(Receiver{CatchAll: true}, decision("d", flyball.VerbSuppress, "a"), false)
	f(Receiver{CatchAll: true}, decision("d", flyball.VerbObserve, "a", "oncall"), false)
	f(Receiver{Severities: []string{"page"}}, decision("d", flyball.VerbSuggest, "a", "oncall"), false)
}

func TestGroupBy(t *testing.T) {
	f := func(by, want string) {
		t.Helper()
		r := oncall
		r.GroupBy = by
		w := newWorld(t, r)
		other := finding("b", 1, flyball.FindingOpened, "page")
		other.Finding.Entity = "cart-db"
		w.step(finding("a", 1, flyball.FindingOpened, "page"), other)
		w.pass(10 * time.Second)
		var got []string
		for _, l := range w.told {
			got = append(got, strings.Fields(l)[2])
		}
		if strings.Join(got, " ") != want {
			t.Errorf("by %s: %v", by, got)
		}
	}
	f("entity", "entity/cart entity/cart-db")
	f("service", "service/cart")
	f("finding", "finding/a finding/b")
	f("all", "all")
}

// TestOperation: what a person wants to know of an operation, and what they have said
// themselves.
func TestOperation(t *testing.T) {
	w := newWorld(t, oncall)
	w.step(finding("a", 1, flyball.FindingOpened, "page"), decision("d1", flyball.VerbAwait, "a", "oncall"))
	w.pass(time.Minute)
	w.expect("5s oncall entity/cart firing page: a=opened await_approval!")
	act := decision("d2", flyball.VerbAct, "a")
	act.Decision.Who = "ann"
	w.step(act, act)
	w.pass(time.Minute)
	w.expect("1m5s oncall entity/cart acknowledged page: a=opened await_approval! act")
	w.step(decision("d3", flyball.VerbEffective, "a"), finding("a", 2, flyball.FindingResolved, "page"))
	w.pass(time.Minute)
	w.expect("2m5s oncall entity/cart resolved page: a=resolved await_approval! act effective")
}

// TestHeld: what a running operation explains does not page, unless it is not over when
// the operation is.
func TestHeld(t *testing.T) {
	f := func(end flyball.Verb, resolvedFirst bool, want ...string) {
		t.Helper()
		w := newWorld(t, oncall)
		w.step(decision("g", flyball.VerbGroup, "b")) // read before the finding: from another partition
		w.step(finding("b", 1, flyball.FindingOpened, "page"))
		w.pass(time.Minute)
		w.expect()
		if resolvedFirst {
			w.step(finding("b", 2, flyball.FindingResolved, "page"))
		}
		over := decision("e", end, "a")
		w.step(over)
		w.pass(time.Minute)
		w.expect(want...)
	}
	told := "1m5s oncall entity/cart firing page: b=opened"
	f(flyball.VerbEffective, false, told)
	f(flyball.VerbEffective, true)
	f(flyball.VerbWorse, false, told)
	f(flyball.VerbUnknown, false, told)
	f(flyball.VerbIneffective, false) // goes on with the next action
	f(flyball.VerbPage, true)

	w := newWorld(t, oncall)
	w.step(finding("b", 1, flyball.FindingOpened, "page"))
	w.pass(time.Second)
	w.step(decision("g", flyball.VerbGroup, "b"))
	w.pass(time.Minute)
	w.expect()
	if w.untold[Untold{"oncall", Grouped}] != 1 {
		t.Errorf("%v", w.untold)
	}
	w.now = w.now.Add(longestHold) // an end that never came
	w.pass(time.Minute)
	if len(w.told) != 1 {
		t.Errorf("held for ever: %v", w.told)
	}
}

// TestDecisionsWithoutAFinding: it is over by the time that they are read, or was never
// seen.
func TestDecisionsWithoutAFinding(t *testing.T) {
	w := newWorld(t, oncall)
	w.step(decision("d", flyball.VerbPage, "gone", "oncall"))
	w.pass(time.Minute)
	w.expect("5s oncall entity/cart firing page: page!")
	w.step(decision("d", flyball.VerbPage, "gone", "oncall"))
	w.pass(2 * time.Hour)
	w.expect()
	if len(w.state) != 0 {
		t.Errorf("something is remembered: %v", w.state)
	}
	w = newWorld(t, oncall)
	w.step(finding("a", 1, flyball.FindingOpened, "page"))
	w.pass(10 * time.Second)
	w.step(decision("d", flyball.VerbPage, "a", "oncall"), finding("a", 2, flyball.FindingResolved, "page"))
	w.pass(time.Minute)
	w.expect("5s oncall entity/cart firing page: a=opened",
		"15s oncall entity/cart firing page: a=resolved page!", // a person is needed all the same
		"21s oncall entity/cart resolved page: a=resolved page!")
}

func TestRepeat(t *testing.T) {
	r := oncall
	r.Repeat = time.Minute
	w := newWorld(t, r)
	w.step(finding("a", 1, flyball.FindingOpened, "page"))
	w.pass(130 * time.Second)
	w.expect("5s oncall entity/cart firing page: a=opened", "1m6s oncall entity/cart firing#1 page: a=opened", "2m7s oncall entity/cart firing#2 page: a=opened")
	w.restart() // does not repeat it
	w.pass(30 * time.Second)
	w.expect()
	w.pass(time.Minute)
	w.expect("3m11s oncall entity/cart firing#1 page: a=opened")
	for id, n := range w.ids {
		if n != 1 {
			t.Errorf("id %s was told %d times", id, n)
		}
	}
	w.receivers[0].Resend = true
	w.restart()
	w.pass(time.Second)
	if len(w.told) != 1 {
		t.Errorf("it is not told again at the start: %v", w.told)
	}
}

// TestDown: a receiver that is away is told how it stands when it is back; others do not
// wait for it.
func TestDown(t *testing.T) {
	other := Receiver{Name: "other", Wait: time.Second, CatchAll: true}
	w := newWorld(t, oncall, other)
	w.down["oncall"] = true
	w.step(finding("a", 1, flyball.FindingOpened, "page"), finding("b", 1, flyball.FindingOpened, "page"))
	nobody := finding("c", 1, flyball.FindingOpened, "page")
	nobody.Finding.Notify = nil
	w.step(nobody)
	w.pass(time.Minute)
	w.expect("1s other entity/cart firing page: c=opened")
	w.step(finding("b", 2, flyball.FindingResolved, "page"))
	w.pass(time.Minute)
	if n := w.machine.Pending("oncall"); n != 1 {
		t.Errorf("%d are pending", n)
	}
	w.restart()
	w.down["oncall"] = false
	w.pass(10 * time.Minute)
	w.expect("2m1s oncall entity/cart firing page: a=opened")
}

// TestCrash: what was sent, and not noted that it was, is sent once more with the same id,
// also when there are more news by then.
func TestCrash(t *testing.T) {
	w := newWorld(t, oncall)
	w.step(finding("a", 1, flyball.FindingOpened, "page"))
	w.pass(5 * time.Second)
	w.receipts = nil
	w.restart()
	w.step(finding("a", 2, flyball.FindingUpdated, "page"))
	w.pass(10 * time.Second)
	if len(w.told) != 2 || len(w.ids) != 1 {
		t.Errorf("%v with ids %v", w.told, w.ids)
	}
}

// TestGivenUp: what is over or was decided is not told after a day; what is open is.
func TestGivenUp(t *testing.T) {
	w := newWorld(t, oncall)
	w.down["oncall"] = true
	w.step(finding("a", 1, flyball.FindingOpened, "page"), decision("d", flyball.VerbPage, "gone", "oncall"))
	for range 300 {
		w.now = w.now.Add(5*time.Minute + time.Second)
		w.step()
	}
	if w.untold[Untold{"oncall", Expired}] != 1 {
		t.Errorf("%v", w.untold)
	}
	w.down["oncall"] = false
	w.pass(10 * time.Minute)
	if len(w.told) != 1 || !strings.HasSuffix(w.told[0], "firing page: a=opened") {
		t.Errorf("%v", w.told)
	}
}

func TestOldEvents(t *testing.T) {
	w := newWorld(t, oncall)
	old := func(e Entry) Entry { e.Old = true; return e }
	w.step(old(finding("a", 1, flyball.FindingOpened, "page")), old(decision("d", flyball.VerbPage, "a", "oncall")), old(decision("e", flyball.VerbPage, "z", "oncall")))
	w.pass(time.Minute)
	w.expect()
	w.step(decision("f", flyball.VerbPage, "a", "oncall")) // about a finding that is remembered
	w.pass(time.Minute)
	w.expect("1m5s oncall entity/cart firing page: a=opened page! page!")
}

func TestLimits(t *testing.T) {
	const most = 100
	w := newWorld(t, oncall)
	w.machine.maxItems = most
	var all []Entry
	for i := range most + 5 {
		all = append(all, finding(fmt.Sprint(i), 1, flyball.FindingOpened, "page"))
	}
	w.step(all...)
	if w.limited[LimitItems] != 5 || w.machine.Pending("oncall") != most {
		t.Errorf("%v, %d pending", w.limited, w.machine.Pending("oncall"))
	}
	w.pass(5 * time.Second)
	if d := w.receipts[0]; len(d.Findings) != mostFindings || d.Omitted != most-mostFindings {
		t.Errorf("%d findings, %d more", len(d.Findings), d.Omitted)
	}
	for i := range 40 {
		w.step(decision(fmt.Sprint("d", i), flyball.VerbPage, "1", "oncall"))
	}
	if w.limited[LimitDecisions] != 10 {
		t.Errorf("%v", w.limited)
	}
}

func TestReceiverIsGone(t *testing.T) {
	w := newWorld(t, oncall, Receiver{Name: "team/shop", CatchAll: true})
	e := finding("a", 1, flyball.FindingOpened, "page")
	e.Finding.Notify = []string{"oncall", "team/shop"}
	w.step(e)
	w.pass(10 * time.Second)
	w.receivers = nil
	w.restart()
	w.step(finding("a", 2, flyball.FindingResolved, "page"))
	w.pass(2 * time.Minute)
	if len(w.state) != 0 {
		t.Errorf("something is remembered: %v", slices.Collect(maps.Keys(w.state)))
	}
}

// TestAnyCut: restarts and aborts at any step do not change what is told.
func TestAnyCut(t *testing.T) {
	verbs := []flyball.Verb{flyball.VerbAct, flyball.VerbAwait, flyball.VerbPage, flyball.VerbGroup, flyball.VerbEffective, flyball.VerbUnknown, flyball.VerbReject, flyball.VerbSuggest}
	for seed := range int64(20) {
		rng := rand.New(rand.NewSource(seed))
		var log [][]Entry
		revision, over := map[string]int{}, map[string]bool{}
		for range 60 {
			var entries []Entry
			for range rng.Intn(3) {
				id := string(rune('a' + rng.Intn(4)))
				if rng.Intn(2) == 0 && !over[id] {
					revision[id]++
					state := flyball.FindingUpdated
					if over[id] = rng.Intn(5) == 0; over[id] {
						state = flyball.FindingResolved
					}
					e := finding(id, revision[id], state, []string{"page", "ticket", "info"}[rng.Intn(3)])
					e.Finding.Entity = []string{"cart", "pay"}[int(id[0])%2]
					entries = append(entries, e)
				} else {
					e := decision(fmt.Sprint("d", len(log), len(entries)), verbs[rng.Intn(len(verbs))], id, [][]string{nil, {"oncall"}, {"other"}}[rng.Intn(3)]...)
					e.Decision.Who = []string{"", "ann"}[rng.Intn(2)]
					entries = append(entries, e)
				}
			}
			log = append(log, entries)
		}
		play := func(disturb bool) []string {
			w := newWorld(t, oncall, Receiver{Name: "other", CatchAll: true, GroupBy: "finding"})
			cut := rand.New(rand.NewSource(seed))
			for _, entries := range log {
				w.now = w.now.Add(time.Second)
				if disturb && cut.Intn(3) == 0 {
					w.machine.Step(w.now, entries, w.receipts)
					w.machine.Abort()
				}
				w.step(entries...)
				if disturb && cut.Intn(4) == 0 {
					w.restart()
				}
				if disturb && cut.Intn(4) == 0 { // read again
					w.now = w.now.Add(0)
					w.machine.Step(w.now, entries, nil)
					w.machine.Abort()
				}
			}
			w.pass(30 * time.Second)
			for id, n := range w.ids {
				if n != 1 {
					t.Errorf("seed %d: id %s was told %d times", seed, id, n)
				}
			}
			return w.told
		}
		want, got := play(false), play(true)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("seed %d (-whole +cut):\n%s", seed, diff)
		}
		if len(want) == 0 {
			t.Fatalf("seed %d tells nothing", seed)
		}
	}
}
