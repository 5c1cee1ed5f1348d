package grouping

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/sinks/notify"
)

// StatePrefix is what all keys of the machine in the state topic start with.
const StatePrefix = "notify/"

const (
	findingPrefix = StatePrefix + "finding/"
	itemPrefix    = StatePrefix + "item/"
)

// known is a finding that is open, or is resolved and not told yet.
type known struct {
	Finding flyball.Finding `json:"finding"`
	// Stub is set when only decisions about it were seen: it is over, or was never told
	// of here.
	Stub bool `json:"stub,omitempty"`
	// Held is the operation that explains it, since HeldAt.
	Held   string       `json:"held,omitempty"`
	HeldAt flyball.Time `json:"held_at"`
	// Decisions about it, the latest last.
	Decisions []noted `json:"decisions,omitempty"`
	// SeenAt is when something of it was read last.
	SeenAt flyball.Time `json:"seen_at"`
}

// noted is a decision with who is to know.
type noted struct {
	notify.Decision
	Notify []string `json:"notify,omitempty"`
}

// answers reports whether a person has answered by it.
func (d *noted) answers() bool {
	return d.Who != "" && (d.Verb == flyball.VerbAct || d.Verb == flyball.VerbReject)
}

func (k *known) resolved() bool { return !k.Stub && k.Finding.State == flyball.FindingResolved }

// item is what one receiver has been told, and is to be told, of one finding.
type item struct {
	Receiver string `json:"receiver"`
	Finding  string `json:"finding"`
	// Named is set when the finding itself is told, and not only decisions about it.
	Named bool `json:"named,omitempty"`
	// Told is the severity that the finding was told with last, "" before that.
	Told string `json:"told,omitempty"`
	// Spoken is set once the receiver was told anything of it.
	Spoken bool `json:"spoken,omitempty"`
	// Decisions that were told.
	Decisions []string `json:"decisions,omitempty"`
	// Due is when its news are told, NoTime when there are none; Since is when they came.
	Due   flyball.Time `json:"due"`
	Since flyball.Time `json:"since"`
}

// untold reports whether the receiver knows nothing of it.
func (i *item) untold() bool { return !i.Spoken }

func itemKey(receiver, finding string) string { return itemPrefix + receiver + "/" + finding }

// table holds rows by their keys, and takes changes back.
type table struct {
	findings map[string]*known           // by id
	items    map[string]map[string]*item // by receiver and finding
	held     map[string][]string         // findings by the operation that holds them
	before   map[string][]byte           // rows touched since the last commit, as they were
}

func newTable() *table {
	return &table{findings: map[string]*known{}, items: map[string]map[string]*item{}, held: map[string][]string{}, before: map[string][]byte{}}
}

// encoded returns the row of a key, nil when there is none.
func (t *table) encoded(key string) []byte {
	var row any
	if id, ok := strings.CutPrefix(key, findingPrefix); ok {
		if k := t.findings[id]; k != nil {
			row = k
		}
	} else if receiver, id, ok := splitItem(key); ok {
		if i := t.items[receiver][id]; i != nil {
			row = i
		}
	}
	if row == nil {
		return nil
	}
	text, err := json.Marshal(row)
	if err != nil {
		panic("BUG: a row does not encode: " + err.Error())
	}
	return text
}

func splitItem(key string) (receiver, finding string, ok bool) {
	rest, ok := strings.CutPrefix(key, itemPrefix)
	at := strings.LastIndexByte(rest, '/') // names have slashes, ids of findings have none
	if !ok || at < 0 {
		return "", "", false
	}
	return rest[:at], rest[at+1:], true
}

// set puts a row where its key says, nil removes it.
func (t *table) set(key string, value []byte) error {
	if id, ok := strings.CutPrefix(key, findingPrefix); ok {
		var k *known
		if value != nil {
			k = &known{}
			if err := json.Unmarshal(value, k); err != nil {
				return fmt.Errorf("cannot read state %q: %w", key, err)
			}
		}
		t.placeFinding(id, k)
		return nil
	}
	receiver, id, ok := splitItem(key)
	if !ok {
		return fmt.Errorf("cannot read state %q: unknown key", key)
	}
	var i *item
	if value != nil {
		i = &item{}
		if err := json.Unmarshal(value, i); err != nil {
			return fmt.Errorf("cannot read state %q: %w", key, err)
		}
	}
	t.placeItem(receiver, id, i)
	return nil
}

func (t *table) placeFinding(id string, k *known) {
	if was := t.findings[id]; was != nil && was.Held != "" {
		t.held[was.Held] = slices.DeleteFunc(t.held[was.Held], func(x string) bool { return x == id })
		if len(t.held[was.Held]) == 0 {
			delete(t.held, was.Held)
		}
	}
	if k == nil {
		delete(t.findings, id)
		return
	}
	t.findings[id] = k
	if k.Held != "" {
		t.held[k.Held] = append(t.held[k.Held], id)
	}
}

func (t *table) placeItem(receiver, id string, i *item) {
	if i == nil {
		delete(t.items[receiver], id)
		return
	}
	if t.items[receiver] == nil {
		t.items[receiver] = map[string]*item{}
	}
	t.items[receiver][id] = i
}

func (t *table) touch(key string) {
	if _, touched := t.before[key]; !touched {
		t.before[key] = t.encoded(key)
	}
}

// putFinding and putItem set rows; the ones that were there are not changed in place.
func (t *table) putFinding(id string, k *known) {
	t.touch(findingPrefix + id)
	t.placeFinding(id, k)
}

func (t *table) putItem(receiver, id string, i *item) {
	t.touch(itemKey(receiver, id))
	t.placeItem(receiver, id, i)
}

// changes returns the rows touched since the last commit, in the order of their keys.
func (t *table) changes() []Change {
	var out []Change
	for key, was := range t.before {
		if is := t.encoded(key); string(is) != string(was) {
			out = append(out, Change{key, is})
		}
	}
	slices.SortFunc(out, func(a, b Change) int { return strings.Compare(a.Key, b.Key) })
	return out
}

func (t *table) commit() { clear(t.before) }

func (t *table) abort() {
	for key, was := range t.before {
		if err := t.set(key, was); err != nil {
			panic("BUG: a row does not come back: " + err.Error())
		}
	}
	clear(t.before)
}
