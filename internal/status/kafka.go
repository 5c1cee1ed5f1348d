package status

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/ingest/kafka"
	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/connect"
	"github.com/flyball-io/flyball/internal/machines"
	"github.com/flyball-io/flyball/internal/pipeline/checkpoint"
	"github.com/flyball-io/flyball/internal/results"
)

// FromKafka asks the brokers of a configuration: the consumer groups of its roles, and the
// topics of results.
func FromKafka(ctx context.Context, cfg *config.Config, l Limits) (*Status, error) {
	s := &Status{From: "kafka", At: time.Now().UTC(), Open: map[string]int{}, Automation: Automation{State: "unknown"}}
	if err := s.groups(ctx, cfg); err != nil {
		return nil, err
	}
	if err := s.results(ctx, cfg, l); err != nil {
		s.Missing = append(s.Missing, "findings, decisions and automation: "+err.Error())
	}
	s.judge(l)
	return s, nil
}

// groupsOf returns the consumer groups that a configuration has, and their roles.
func groupsOf(cfg *config.Config) (groups, roles []string) {
	add := func(role, name string) {
		groups, roles = append(groups, cfg.Pipeline.Kafka.Group+"-"+name), append(roles, role)
	}
	for _, s := range machines.Measured(cfg) {
		add("aggregate "+s.Name, "aggregate-"+s.Name)
	}
	add("evaluate", "evaluate")
	add("decide", "decide")
	if cfg.Pipeline.ClickHouse.DSN != "" {
		add("record", "record")
	}
	if len(cfg.Receivers) > 0 {
		add("notify", "notify")
	}
	return groups, roles
}

// Groups returns the consumer groups that a configuration has.
func Groups(cfg *config.Config) []string {
	groups, _ := groupsOf(cfg)
	return groups
}

// groups asks who is in the groups and how far they are.
func (s *Status) groups(ctx context.Context, cfg *config.Config) error {
	cl, err := connect.Client(cfg, cfg.Pipeline.Kafka.ClientID+"-status")
	if err != nil {
		return err
	}
	defer cl.Close()
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	groups, roles := groupsOf(cfg)
	lags, err := kadm.NewClient(cl).Lag(ctx, slices.Clone(groups)...) // it uses the list
	if err != nil {
		return fmt.Errorf("cannot ask Kafka for consumer groups: %w", err)
	}
	for i, g := range groups {
		d, found := lags[g]
		if err := d.Error(); found && err != nil {
			s.Missing = append(s.Missing, fmt.Sprintf("group %s: %v", g, err))
			continue
		}
		r := Role{Role: roles[i], Group: g, State: d.State, Members: len(d.Members)}
		source, isSource := strings.CutPrefix(roles[i], "aggregate ")
		latest := flyball.NoTime
		for _, list := range d.Lag {
			for _, m := range list {
				r.Lag += behind(m)
				latest = max(latest, checkpoint.TimeOf(m.Commit.Metadata))
			}
		}
		s.Roles = append(s.Roles, r)
		if isSource && latest != flyball.NoTime {
			s.Sources = append(s.Sources, Source{source, max(0, s.At.Sub(latest.Std()))})
		}
	}
	return nil
}

// behind is how many records of a partition have not been read: a member may commit an
// earlier offset than it has read, and says so beside it.
func behind(m kadm.GroupMemberLag) int64 {
	if m.Commit.Metadata == "" || m.Err != nil {
		return max(m.Lag, 0)
	}
	head, err := checkpoint.HeadOf(kafka.Assignment{Offset: m.Commit.At, Metadata: m.Commit.Metadata})
	if err != nil {
		return max(m.Lag, 0)
	}
	return max(m.End.Offset-head, 0)
}

// results reads what came out.
func (s *Status) results(ctx context.Context, cfg *config.Config, l Limits) error {
	f, err := results.Follow(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = f.Run(ctx) // it ends with the context, and has no other error
	}()
	defer func() { cancel(); <-done }()
	store, err := f.Store(ctx)
	if err != nil {
		return err
	}
	open := results.All(1000)
	open.State = "open"
	s.findings(store.Findings(open).Items, l)
	s.Decisions = store.Decisions(results.All(l.Shown)).Items
	force := store.Force(flyball.TimeOf(s.At))
	for _, c := range force.Holds {
		s.Automation.Holds = append(s.Automation.Holds, hold(&c))
	}
	for _, b := range force.Breakers {
		s.Automation.Breakers = append(s.Automation.Breakers, b.Guardrail+": "+b.Reason)
	}
	s.Automation.Waiting, s.Automation.Unknown = len(force.Waiting), len(force.Unknown)
	s.Automation.state()
	return nil
}

// findings takes those that are open, the most severe first.
func (s *Status) findings(list []flyball.Finding, l Limits) {
	rank := []string{"page", "ticket", "info"}
	slices.SortStableFunc(list, func(a, b flyball.Finding) int {
		return cmp.Or(slices.Index(rank, a.Severity)-slices.Index(rank, b.Severity), cmp.Compare(b.OpenedAt, a.OpenedAt))
	})
	for _, f := range list {
		s.Open[f.Severity]++
		if len(s.Findings) < l.Shown || f.Kind == "flyball" {
			s.Findings = append(s.Findings, f)
		}
	}
}

// hold says what a person said.
func hold(c *flyball.Control) string {
	scope := c.Scope.Kind
	if c.Scope.Name != "" {
		scope += " " + c.Scope.Name
	}
	kind := string(c.Kind)
	if c.Mode != "" {
		kind += " " + string(c.Mode)
	}
	return fmt.Sprintf("%s of %s by %s: %s", kind, scope, c.Who, c.Why)
}

// state says whether something holds automation.
func (a *Automation) state() {
	a.State = "acting"
	if len(a.Holds)+len(a.Breakers) > 0 {
		a.State = "held in part"
	}
}
