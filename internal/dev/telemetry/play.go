package telemetry

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball"
)

const (
	// tick is how often telemetry is sent.
	tick = 50 * time.Millisecond
	// slack is how far event time may be ahead of what has been judged, besides the
	// longest silence: what is sent when something was decided must not be far behind it.
	slack = 90 * time.Second
	// historySlack is the same as long as there is nothing to decide.
	historySlack = 10 * time.Minute
)

// Player plays a story. Its clock is that of the telemetry, so everybody who takes part
// must go by it.
type Player struct {
	story   *Story
	sources map[string]flyball.Source
	gap     time.Duration
	// tell is told what begins.
	tell func(at time.Time, text string)

	mu     sync.Mutex
	now    time.Time
	judged flyball.Time // up to where event time has been judged
	phase  int
	began  time.Time // when the phase did
	done   bool      // the remedy was, and takes effect with the next tick
}

// NewPlayer returns a player whose story comes to the present at the end of its length.
func NewPlayer(s *Story, sources []flyball.Source, present time.Time, tell func(time.Time, string)) *Player {
	start := present.Add(-s.History - s.Length).Truncate(time.Minute)
	p := &Player{story: s, sources: map[string]flyball.Source{}, gap: s.gap(), tell: tell, now: start, began: start, judged: flyball.TimeOf(start)}
	for _, src := range sources {
		p.sources[src.Name] = src
	}
	return p
}

// Now is the time of the telemetry.
func (p *Player) Now() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now
}

// IncidentAt is when the incident begins.
func (p *Player) IncidentAt() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.phase == usual {
		return p.began.Add(p.story.History)
	}
	return p.began
}

// Progress says how far event time has been judged. The story waits for it.
func (p *Player) Progress(at flyball.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.judged = max(p.judged, at)
}

// Remedy does what a command says, and returns what is to be reported.
func (p *Player) Remedy(cmd *flyball.Command) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	said := p.story.Said[cmd.Action.Name]
	if said == "" {
		said = fmt.Sprintf("%s of %s is done", cmd.Action.Name, cmd.Target)
	}
	p.done = p.done || p.phase == incident && cmd.Action.Name == p.story.Remedy
	return said, nil
}

// Run sends the telemetry until the context ends.
func (p *Player) Run(ctx context.Context, produce func(*kgo.Record) error) error {
	p.tell(p.Now(), p.story.phases[usual].text)
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case wall := <-ticker.C:
			if err := p.advance(wall, wall.Sub(last), produce); err != nil {
				return err
			}
			last = wall
		}
	}
}

// advance goes on to the time that the pace, what has been judged and the present allow.
func (p *Player) advance(wall time.Time, passed time.Duration, produce func(*kgo.Record) error) error {
	p.mu.Lock()
	from, phase, began := p.now, p.phase, p.began
	next := from.Add(time.Duration(float64(passed) * p.story.Pace))
	ahead := slack
	if phase == usual {
		next, ahead = began.Add(p.story.History), historySlack
	}
	for _, limit := range []time.Time{p.judged.Std().Add(ahead + p.gap), wall} {
		if next.After(limit) {
			next = limit
		}
	}
	if !next.After(from) {
		next = from
	}
	p.mu.Unlock()
	if err := p.send(phase, began, from, next, produce); err != nil {
		return err
	}
	p.mu.Lock()
	p.now = next
	begins := ""
	switch {
	case phase == usual && !next.Before(began.Add(p.story.History)):
		p.phase, p.began, begins = incident, next, p.story.phases[incident].text
	case p.done && phase == incident:
		p.phase, p.began, begins = remedied, next, p.story.phases[remedied].text
	}
	p.mu.Unlock()
	if begins != "" {
		p.tell(next, begins)
	}
	return nil
}

// send produces what arrives in a stretch of time of a phase.
func (p *Player) send(phase int, began, from, to time.Time, produce func(*kgo.Record) error) error {
	ph := &p.story.phases[phase]
	for round := from.Sub(began) / ph.period; round <= to.Sub(began)/ph.period; round++ {
		start := began.Add(round * ph.period)
		for i := range ph.input.Arrivals {
			a := &ph.input.Arrivals[i]
			if at := start.Add(a.At); at.Before(from) || !at.Before(to) {
				continue
			}
			src := p.sources[a.Source]
			value, err := encode(&src, a, start.Add(a.Event))
			if err != nil {
				return err
			}
			if err := produce(&kgo.Record{Topic: a.Topic, Partition: a.Partition, Value: value}); err != nil {
				return err
			}
		}
	}
	return nil
}
