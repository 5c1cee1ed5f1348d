package ui

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/ui/query"
	"github.com/flyball-io/flyball/processors/remediation/gate"
)

// pageSize is how many rows a page of a log has.
const pageSize = 50

// decisionsData is one page of the decision log.
type decisionsData struct {
	Filter query.Filter
	List   []query.Decision
	// Verbs, Rules and Gates are what the list can be narrowed to.
	Verbs        []flyball.Verb
	Rules, Gates []string
	// Older is the address of the next page, First is set on the first.
	Older string
	First bool
}

var verbs = []flyball.Verb{flyball.VerbAct, flyball.VerbObserve, flyball.VerbSuppress, flyball.VerbSuggest, flyball.VerbAwait, flyball.VerbAccept,
	flyball.VerbFail, flyball.VerbClose, flyball.VerbVerify, flyball.VerbRecover, flyball.VerbEffective, flyball.VerbIneffective, flyball.VerbWorse,
	flyball.VerbUnknown, flyball.VerbRelease, flyball.VerbReject, flyball.VerbExpire, flyball.VerbGroup, flyball.VerbPage, flyball.VerbControl}

func (s *Server) decisions(r *http.Request, v *view) error {
	q := r.URL.Query()
	d := decisionsData{Verbs: verbs, Gates: gateNames(), Filter: query.Filter{Verb: q.Get("verb"), Rule: q.Get("rule"), Entity: q.Get("entity"), Gate: q.Get("gate"), Limit: pageSize + 1}}
	v.Name, v.Section, v.Title, v.Data = "decisions", "decisions", "Decisions", &d
	d.Filter.BeforeAt, d.Filter.BeforeID = cursor(q.Get("before"))
	d.First = d.Filter.BeforeAt.IsZero()
	list, err := s.data.Decisions(r.Context(), d.Filter)
	if err != nil {
		return err
	}
	d.List = list[:min(len(list), pageSize)]
	if len(list) > pageSize {
		last := d.List[pageSize-1]
		d.Older = olderThan(r, last.At, last.ID)
	}
	d.Rules, err = s.data.Rules(r.Context())
	return err
}

// gateNames are the names of the gates, in their order.
func gateNames() []string {
	var names []string
	for _, g := range gate.All() {
		names = append(names, g.Name())
	}
	return names
}

// cursor reads the key of the last row of a page: milliseconds and an id.
func cursor(text string) (time.Time, string) {
	at, id, ok := strings.Cut(text, "-")
	ms, err := strconv.ParseInt(at, 10, 64)
	if !ok || err != nil {
		return time.Time{}, ""
	}
	return time.UnixMilli(ms), id
}

// olderThan is the address of the page after a row.
func olderThan(r *http.Request, at time.Time, id string) string {
	q := url.Values{}
	for k, x := range r.URL.Query() {
		q[k] = x
	}
	q.Set("before", fmt.Sprintf("%d-%s", at.UnixMilli(), id))
	return r.URL.Path + "?" + q.Encode()
}

// storyData is a decision, a finding or an operation, with all that was decided about it.
type storyData struct {
	// Decision is the one that is explained; nil on the page of a finding.
	Decision *query.Decision
	Finding  *query.Finding
	Story    []query.Decision
	// Notified is set while an operation waits for a person.
	Waits bool
}

func (s *Server) decision(r *http.Request, v *view) error {
	one, ok, err := s.data.Decision(r.Context(), r.PathValue("id"))
	if err != nil || !ok {
		return orNotFound(err)
	}
	v.Title = fmt.Sprintf("%s %s", one.Verb, one.Target)
	return s.story(r, v, &one, one.Finding, one.Operation)
}

func (s *Server) finding(r *http.Request, v *view) error {
	id := r.PathValue("id")
	v.Title = "Finding"
	if err := s.story(r, v, nil, id, ""); err != nil {
		return err
	}
	if v.Data.(*storyData).Finding == nil {
		return errNotFound
	}
	return nil
}

// operation explains the first decision of an operation.
func (s *Server) operation(r *http.Request, v *view) error {
	story, err := s.data.Story(r.Context(), "", r.PathValue("id"))
	if err != nil || len(story) == 0 {
		return orNotFound(err)
	}
	first := story[0]
	for i := range story {
		if len(story[i].Gates) > 0 {
			first = story[i]
			break
		}
	}
	v.Title = first.Action + " " + first.Target
	return s.story(r, v, &first, first.Finding, first.Operation)
}

func orNotFound(err error) error {
	if err != nil {
		return err
	}
	return errNotFound
}

func (s *Server) story(r *http.Request, v *view, one *query.Decision, finding, operation string) error {
	d := storyData{Decision: one}
	v.Name, v.Section, v.Data = "decision", "decisions", &d
	if finding != "" {
		f, ok, err := s.data.Finding(r.Context(), finding)
		if err != nil {
			return err
		}
		if ok {
			d.Finding = &f
		}
	}
	var err error
	if d.Story, err = s.data.Story(r.Context(), finding, operation); err != nil {
		return err
	}
	waiting, err := s.data.Waiting(r.Context())
	for i := range waiting {
		if operation != "" && waiting[i].Operation == operation {
			d.Waits = true
		}
	}
	return err
}
