package replay

import (
	"context"
	"fmt"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors/remediation"
)

// RunFindings runs only the rules, over findings that were recorded: every state, in the
// order of their times. Deadlines and verifications fall due as time passes between them.
func RunFindings(ctx context.Context, cfg Config, findings []flyball.Finding) (*Summary, error) {
	sum := newSummary(cfg)
	d, err := newDecider(cfg, sum)
	if err != nil {
		return nil, err
	}
	h := &hindsight{decider: d, told: flyball.NoTime}
	for len(findings) > 0 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		at, n := findings[0].At, 1
		for n < len(findings) && findings[n].At == at {
			n++
		}
		if sum.From == flyball.NoTime {
			sum.From = at
		}
		sum.To, sum.Records = at, sum.Records+int64(n)
		if err := h.pass(at); err != nil {
			return nil, err
		}
		if err := h.step(at, findings[:n]); err != nil {
			return nil, err
		}
		if cfg.Progress != nil {
			cfg.Progress(at)
		}
		findings = findings[n:]
	}
	if cfg.To != flyball.NoTime && sum.To != flyball.NoTime {
		if err := h.pass(cfg.To.Add(1)); err != nil {
			return nil, err
		}
	}
	d.end()
	return sum, nil
}

// hindsight lets time pass for decide where there is no telemetry that does.
type hindsight struct {
	decider *decider
	told    flyball.Time // the last watermark
}

// pass lets time pass to just before at: whatever is said until then is said at its time.
func (h *hindsight) pass(at flyball.Time) error {
	for h.decider.next() < at {
		if err := h.step(h.decider.next(), nil); err != nil {
			return err
		}
	}
	return h.step(at-1, nil)
}

// step decides about the findings of a time. The watermark behind them says that all
// before it were there.
func (h *hindsight) step(now flyball.Time, findings []flyball.Finding) error {
	var told remediation.Input
	if at := (now - 1).Floor(progressEvery); at > h.told {
		h.told = at
		told = remediation.Input{{Watermark: &remediation.Watermark{Of: 1, At: at}}}
	}
	if err := h.decider.step(now, findings, told); err != nil {
		return fmt.Errorf("cannot decide at %s: %w", now, err)
	}
	return nil
}
