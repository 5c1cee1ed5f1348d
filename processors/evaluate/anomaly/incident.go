package anomaly

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/flyball-io/flyball"
)

const (
	// unusual is from how many digits of surprise on a series belongs to an anomaly of
	// its entity; below, it is calm.
	unusual = 3
	// calmFor is for how many windows in a row all series must be calm before an
	// anomaly is over.
	calmFor = 5
	// worse is by how many digits a series must be more unusual to be told again.
	worse = 2
	// membersKept is of how many series an anomaly tells.
	membersKept = 32
	// recentKept is how many past findings of an entity can be labelled.
	recentKept = 8
)

// kindAnomaly is the kind of the findings.
const kindAnomaly = "anomaly"

// entity is what anomalies are about: all series that one detector watches of it.
type entity struct {
	key      entityKey
	detector *flyball.Detector
	series   int // that are watched
	now, was *entityState
	dirty    bool
}

// open returns the anomaly that is not over, nil for none.
func (e *entity) open() *incident {
	if e.now == nil {
		return nil
	}
	return e.now.Open
}

// entityState is what of an entity must survive. It is replaced, never changed.
type entityState struct {
	// Open is its anomaly, nil for none.
	Open *incident `json:"open,omitempty"`
	// Recent are the findings that can be labelled, latest last.
	Recent []past `json:"recent,omitempty"`
	// Margins are what labels have added to thresholds, in digits.
	Margins []margin `json:"margins,omitempty"`
}

// incident is an anomaly that is not over.
type incident struct {
	ID       string         `json:"id"`
	Revision int            `json:"revision"`
	OpenedAt flyball.Time   `json:"opened_at"`
	Severity string         `json:"severity"`
	Labels   flyball.Labels `json:"labels"`
	// Of is the revision of the detector that found it.
	Of string `json:"of"`
	// Members are the series, in the order in which they joined; More is how many
	// more there were.
	Members []member `json:"members"`
	More    int      `json:"more,omitempty"`
}

// place names a number of a series.
type place struct {
	Indicator string              `json:"indicator"`
	Value     flyball.WindowValue `json:"value"`
	Labels    string              `json:"labels"`
}

// member is a series of an anomaly, at its most unusual.
type member struct {
	place
	At        flyball.Time `json:"at"`
	Algorithm string       `json:"algorithm"`
	Second    string       `json:"second,omitempty"`
	Reason    string       `json:"reason"`
	Direction int8         `json:"direction"`
	Digits    float64      `json:"digits"`
	Rarity    float64      `json:"rarity"`
	Threshold float64      `json:"threshold"`
	Observed  *float64     `json:"observed"`
	Expected  *float64     `json:"expected"`
	Low       *float64     `json:"low"`
	High      *float64     `json:"high"`
	// After is what appeared just before it began.
	After *after `json:"after,omitempty"`
	// Calm is for how many windows it has been calm.
	Calm int `json:"calm,omitempty"`
}

// notable is what may matter to the anomaly of an entity, of the windows that end at
// one time. value is −1 for a series that falls asleep.
type notable struct {
	w     *watch
	sr    *series
	value int
	alarm bool
	after *after
	reading
}

func (n *notable) place() place {
	return place{n.w.spec.Name, n.w.values[n.value], n.sr.labels}
}

// settle opens, updates and resolves anomalies by what was noted of the windows that
// end at a time: alarms first, so that what moves together is found together.
func (m *Machine) settle(at flyball.Time, out *Output) {
	for i := range m.notable { // those found under other settings end
		if e := m.notable[i].sr.entity; e.open() != nil && e.now.Open.Of != e.detector.Revision {
			m.resolve(e, at, fmt.Sprintf("the settings of detector %s have changed", e.detector.Name), out)
		}
	}
	slices.SortStableFunc(m.notable, func(a, b notable) int {
		return cmp.Or(compareEntities(a.sr.entity.key, b.sr.entity.key), compareAlarms(a.alarm, b.alarm),
			cmp.Compare(a.sr.labels, b.sr.labels))
	})
	for from := 0; from < len(m.notable); {
		to := from
		for to < len(m.notable) && m.notable[to].sr.entity == m.notable[from].sr.entity {
			to++
		}
		m.settleEntity(m.notable[from:to], at, out)
		from = to
	}
}

func compareAlarms(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

// settleEntity takes in what was noted of one entity.
func (m *Machine) settleEntity(list []notable, at flyball.Time, out *Output) {
	e := list[0].sr.entity
	state := flyball.FindingUpdated
	if e.open() == nil {
		if !list[0].alarm {
			return
		}
		m.change(e).Open = &incident{ID: findingID(e.key, at), OpenedAt: at, Severity: e.detector.Severity,
			Labels: labelsOf(list[0].sr.labels), Of: e.detector.Revision}
		state = flyball.FindingOpened
	} else {
		open := *e.now.Open
		open.Members = slices.Clone(open.Members)
		m.change(e).Open = &open
	}
	open := e.now.Open
	news := false
	for i := range list {
		news = open.take(&list[i], at) || news
	}
	switch {
	case !slices.ContainsFunc(open.Members, func(m member) bool { return m.Calm < calmFor }):
		m.resolve(e, at, "", out)
	case news:
		open.Revision++
		out.Findings = append(out.Findings, e.finding(open, state, at, open.summary(e)))
	}
}

// take lets a series join, get worse or calm down, and reports whether that is news.
func (o *incident) take(n *notable, at flyball.Time) bool {
	if n.value < 0 { // asleep: what it did not say for so long it does not do any more
		for i := range o.Members {
			if o.Members[i].Indicator == n.w.spec.Name && o.Members[i].Labels == n.sr.labels {
				o.Members[i].Calm = calmFor
			}
		}
		return false
	}
	p := n.place()
	known := slices.IndexFunc(o.Members, func(m member) bool { return m.place == p })
	strange := n.alarm || n.News && n.Digits >= unusual && !opposed(n)
	switch {
	case known < 0 && strange && len(o.Members) < membersKept:
		o.Members = append(o.Members, newMember(n, at))
		return true
	case known < 0 && strange:
		o.More++
		return false
	case known < 0:
		return false
	}
	m := &o.Members[known]
	// On its way back a series may be unusual the other way; that is no anomaly.
	if back := n.Direction == -m.Direction && n.Direction != 0 && !n.News; n.Digits >= unusual && !back {
		m.Calm = 0
	} else {
		m.Calm = min(m.Calm+1, calmFor)
	}
	if strange && n.Digits >= m.Digits+worse {
		most := max(m.Rarity, n.Rarity) // news is rarer the first time
		*m = newMember(n, at)
		m.Rarity = most
		return true
	}
	return false
}

// opposed reports whether a departure goes the way that is not looked at.
func opposed(n *notable) bool { return n.w.opposed(n.Direction) }

func (w *watch) opposed(direction int8) bool {
	return w.detector.Direction == flyball.DirectionUp && direction < 0 || w.detector.Direction == flyball.DirectionDown && direction > 0
}

// alarms reports whether a reading is an alarm, given what people said of earlier ones.
func (w *watch) alarms(sr *series, value int, r *reading) bool {
	if !r.News || r.Digits < unusual || w.opposed(r.Direction) {
		return false
	}
	switch more := sr.entity.margin(place{w.spec.Name, w.values[value], sr.labels}); {
	case more > 0:
		return r.Alarm && r.Rarity >= r.Threshold+more
	case more < 0:
		return r.Alarm || r.Rarity >= r.Threshold+more
	}
	return r.Alarm
}

func newMember(n *notable, at flyball.Time) member {
	return member{
		place: n.place(), At: at, Algorithm: n.Algorithm, Second: n.Second, Reason: n.reason + n.after.String(), Direction: n.Direction,
		Digits: n.Digits, Rarity: n.Rarity, Threshold: n.Threshold, After: n.after,
		Observed: known(n.observed), Expected: known(n.Expected), Low: known(n.Low), High: known(n.High),
	}
}

// known returns nil for what is no number.
func known(x float64) *float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil
	}
	return &x
}

// resolve ends the anomaly of an entity.
func (m *Machine) resolve(e *entity, at flyball.Time, why string, out *Output) {
	open := *e.now.Open
	open.Revision++
	next := m.change(e)
	next.Open = nil
	lead := open.ranked()[0]
	next.Recent = append(slices.Clone(next.Recent[max(0, len(next.Recent)-recentKept+1):]), past{open.ID, lead.place, lead.Rarity, lead.Threshold})
	if why == "" {
		why = fmt.Sprintf("%s of %s is as usual again, after %s", lead.what(), e.key.entity, at.Sub(open.OpenedAt))
	}
	out.Findings = append(out.Findings, e.finding(&open, flyball.FindingResolved, at, why))
}

// change returns a copy of the state of an entity that may be changed.
func (m *Machine) change(e *entity) *entityState {
	if !e.dirty {
		e.dirty = true
		m.touched = append(m.touched, e)
	}
	next := entityState{}
	if e.now != nil {
		next = *e.now
	}
	e.now = &next
	return e.now
}

// forget drops what is known of an entity of which no series is watched any more.
func (m *Machine) forget(e *entity) {
	m.change(e)
	e.now = nil
}

// ranked returns the members, the most unusual first.
func (o *incident) ranked() []member {
	list := slices.Clone(o.Members)
	slices.SortStableFunc(list, func(a, b member) int {
		return cmp.Or(cmp.Compare(b.Digits, a.Digits), cmp.Compare(a.At, b.At), cmp.Compare(a.Indicator, b.Indicator),
			cmp.Compare(a.Labels, b.Labels), cmp.Compare(a.Value, b.Value))
	})
	return list
}

func (m *member) what() string { return m.Indicator + " " + string(m.Value) }

// summary is one sentence for a person.
func (o *incident) summary(e *entity) string {
	list := o.ranked()
	text := fmt.Sprintf("%s of %s: %s", list[0].what(), e.key.entity, list[0].Reason)
	var others []string
	for i := 1; i < len(list) && i < 4; i++ {
		others = append(others, list[i].what())
	}
	if more := len(list) - 1 - len(others) + o.More; more > 0 {
		others = append(others, fmt.Sprintf("%d more", more))
	}
	if len(others) > 0 {
		text += "; with it " + strings.Join(others, ", ")
	}
	return text
}

// finding returns a state of the finding about an anomaly.
func (e *entity) finding(o *incident, state flyball.FindingState, at flyball.Time, summary string) flyball.Finding {
	list := o.ranked()
	lead := &list[0]
	f := flyball.Finding{
		ID: o.ID, Revision: o.Revision, Kind: kindAnomaly, State: state, Severity: o.Severity, Entity: e.key.entity,
		Labels: o.Labels, Detector: e.key.detector, Tier: lead.Algorithm, At: at, OpenedAt: o.OpenedAt, Summary: summary,
	}
	limit := lead.Threshold
	f.Evidence = []flyball.Evidence{
		{Name: "score", Value: min(lead.Digits/10, 1)},
		{Name: "rarity", Value: lead.Rarity, Threshold: &limit, Unit: "digits"},
		{Name: "direction", Value: float64(lead.Direction)},
		{Name: "series", Value: float64(len(list) + o.More)},
	}
	for _, n := range []struct {
		name  string
		value *float64
	}{{"observed", lead.Observed}, {"expected", lead.Expected}, {"low", lead.Low}, {"high", lead.High}} {
		if n.value != nil {
			f.Evidence = append(f.Evidence, flyball.Evidence{Name: n.name, Value: *n.value})
		}
	}
	if lead.After != nil {
		f.Evidence = append(f.Evidence, flyball.Evidence{Name: "after_release", Value: time.Duration(lead.After.By).Seconds(), Unit: "s"})
	}
	total := 0.0
	for i := range list {
		total += list[i].Digits
	}
	for i := range list {
		m := &list[i]
		f.Series = append(f.Series, flyball.FindingSeries{
			Indicator: m.Indicator, Value: m.Value, Labels: labelsOf(m.Labels), Algorithm: m.Algorithm, Reason: m.Reason,
			Direction: int(m.Direction), Digits: m.Digits, Share: m.Digits / total, Observed: m.Observed, Expected: m.Expected, At: m.At,
		})
	}
	return f
}

// findingID is the same whenever the same windows are judged.
func findingID(k entityKey, opened flyball.Time) string {
	h := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q %d", kindAnomaly, k.detector, k.source, k.entity, int64(opened)))
	return hex.EncodeToString(h[:12])
}

func isOverflow(entity string) bool {
	return entity == flyball.OverflowValue || strings.HasPrefix(entity, flyball.OverflowValue+"/")
}

func labelsOf(text string) flyball.Labels {
	var labels flyball.Labels
	if err := json.Unmarshal([]byte(text), &labels); err != nil {
		panic("BUG: the labels of a series are not JSON: " + err.Error())
	}
	return labels
}
