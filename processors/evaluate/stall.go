package evaluate

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/flyball-io/flyball"
)

// kindSelf is the kind of findings about Flyball itself.
const kindSelf = "flyball"

// stalls holds the open findings about sources of which partitions are stalled, by
// source. All partitions of panes hear the same marks, so the first one speaks for
// all.
type stalls struct {
	open    map[string]*openFinding
	was     map[string]*openFinding // as of the last commit
	touched map[string]bool         // changed since, if only for a while
}

func newStalls() stalls {
	return stalls{open: map[string]*openFinding{}, was: map[string]*openFinding{}, touched: map[string]bool{}}
}

func (s *stalls) commit() {
	s.was = maps.Clone(s.open)
	clear(s.touched)
}

func (s *stalls) abort() {
	s.open = maps.Clone(s.was)
	clear(s.touched)
}

// trackStalls opens or resolves the finding about a source whose marks came.
func (m *Machine) trackStalls(source string) {
	at := m.watermarks.Of(source)
	if m.cfg.Partition != 0 || at == flyball.NoTime {
		return
	}
	stalled := m.watermarks.Stalled(source)
	f := m.stalls.open[source]
	switch {
	case len(stalled) > 0 && f == nil:
		f = &openFinding{ID: findingID(kindSelf, "stalled", source, at), Revision: 1, OpenedAt: at, Severity: "ticket"}
		m.stalls.open[source] = f
		var names []string
		for _, p := range stalled {
			names = append(names, fmt.Sprintf("%s/%d (at %s)", p.Topic, p.Partition, p.Watermark))
		}
		m.reportStall(source, f, flyball.FindingOpened, at, fmt.Sprintf(
			"source %s goes on without partitions that give nothing although there is something to read: %s", source, strings.Join(names, ", ")))
	case len(stalled) == 0 && f != nil:
		last := *f
		last.Revision++
		delete(m.stalls.open, source)
		m.reportStall(source, &last, flyball.FindingResolved, at, fmt.Sprintf("all partitions of source %s give samples again", source))
	}
}

func (m *Machine) reportStall(source string, f *openFinding, state flyball.FindingState, at flyball.Time, summary string) {
	m.stalls.touched[source] = true
	m.ready.Findings = append(m.ready.Findings, flyball.Finding{
		ID: f.ID, Revision: f.Revision, Kind: kindSelf, State: state, Severity: f.Severity, Entity: source,
		Labels: flyball.LabelsOf("source", source), Detector: "stalled", At: at, OpenedAt: f.OpenedAt, Summary: summary,
		Evidence: []flyball.Evidence{{Name: "stalled", Value: float64(len(m.watermarks.Stalled(source))), Unit: "partitions"}},
	})
}

// changed reports the findings that differ from the last commit.
func (s *stalls) changed(change func(key string, value []byte)) {
	for _, source := range slices.Sorted(maps.Keys(s.touched)) {
		change("stall/"+url.PathEscape(source), findingJSON(s.open[source]))
	}
}

func (s *stalls) restore(path string, value []byte) error {
	source, err := url.PathUnescape(path)
	if err != nil {
		return err
	}
	f := new(openFinding)
	if err := json.Unmarshal(value, f); err != nil {
		return err
	}
	s.open[source] = f
	s.commit()
	return nil
}

// flag marks the windows reported since from that rest on a source of which
// something is missing, corrections too, by all that a record says.
func (m *Machine) flag(from int) {
	for i := from; i < m.windows.Len(); i++ {
		source := m.byName[m.windows.Indicator[i]].Spec().Source
		m.windows.Complete[i] = m.watermarks.Complete(source, flyball.Time(m.windows.End[i]))
	}
}
