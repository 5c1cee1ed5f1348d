package sloreplay

import (
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors/slo"
)

// Forecast is in how many seconds an error budget will be gone: 0 when it is, null
// when it is not to be within the period, or nobody knows.
type Forecast struct {
	// BudgetLeft is the share of a whole period's budget that is left, where the rest of
	// the period has as much traffic as what was counted: with less than a period
	// counted it is more than BudgetRemaining.
	BudgetLeft Number `json:"budget_left"`
	// Hour, SixHours and ThreeDays take the burn rate of that long before for the one
	// to come.
	Hour      Number `json:"exhausts_1h"`
	SixHours  Number `json:"exhausts_6h"`
	ThreeDays Number `json:"exhausts_3d"`
	// Trend is as the trend of the burn rate has it, between Earliest and Latest with
	// 90 % confidence.
	Trend    Number `json:"exhausts_trend"`
	Earliest Number `json:"exhausts_earliest"`
	Latest   Number `json:"exhausts_latest"`
}

func (r *run) forecast(at flyball.Time, b slo.Budget) Forecast {
	f := r.tracker.Forecast(at, b)
	return Forecast{r.budgetLeft(b), Number(f.Hour), Number(f.SixHours), Number(f.ThreeDays), Number(f.Trend), Number(f.Earliest), Number(f.Latest)}
}

func (r *run) budgetLeft(b slo.Budget) Number {
	return Number(1 - r.spec.BurnRate(b.Total, b.Bad)*b.Elapsed.Seconds()/b.Length().Seconds())
}

// The events of an Exhaustion.
const (
	Exhausted      = "exhausted"
	ExhaustsWithin = "exhausts_within"
)

// Exhaustion is a budget that is gone, or will soon be, or no longer so.
type Exhaustion struct {
	// SLO is its name.
	SLO string `json:"slo"`
	// Event is exhausted or exhausts_within, State firing or resolved.
	Event string `json:"event"`
	State string `json:"state"`
	// At is the evaluation.
	At flyball.Time `json:"at"`
	// BudgetLeft is as in Forecast.
	BudgetLeft Number `json:"budget_left"`
	// ExhaustsIn is in how many seconds it is gone at the burn rate by which it is
	// judged.
	ExhaustsIn Number `json:"exhausts_in"`
}

// Foresee replays slices through an SLO, and calls emit whenever its budget is gone,
// or will be within some time (0: as long as the SLO says) at the burn rate of the
// last quarter of that time, and whenever that ceases. It returns where things stand
// at the end.
func Foresee(spec flyball.SLO, list []Slice, o Options, within time.Duration, emit func(Exhaustion) error) (Summary, error) {
	r, err := newRun(spec, list, o)
	if err != nil {
		return Summary{}, err
	}
	if within <= 0 {
		within = spec.ExhaustsWithin
	}
	if err := r.walk(func(at flyball.Time) error { return r.foresee(at, within, emit) }); err != nil {
		return Summary{}, err
	}
	return r.summary(r.end), nil
}

func (r *run) foresee(at flyball.Time, within time.Duration, emit func(Exhaustion) error) error {
	b := r.tracker.Budget(at)
	spent := flyball.Spent{Total: b.Total, Bad: b.Bad, Elapsed: b.Elapsed, Length: b.Length()}
	gone := r.spec.Exhausted(b.Total, b.Bad, b.Elapsed, b.Length())
	if r.spec.Calendar != nil {
		within = min(within, b.End.Sub(at))
	}
	lookback := r.tracker.Lookback(within)
	total, bad := r.tracker.Sum(at, lookback)
	soon := within > 0 && !gone && r.spec.ExhaustsSoon(within, spent, total, bad)
	for _, e := range []struct {
		event string
		holds bool
	}{{Exhausted, gone}, {ExhaustsWithin, soon}} {
		if e.holds == r.firing[e.event] {
			continue
		}
		r.firing[e.event] = e.holds
		state := Resolved
		if e.holds {
			state = Firing
		}
		err := emit(Exhaustion{
			SLO: r.spec.Name, Event: e.event, State: state, At: at, ExhaustsIn: Number(r.tracker.Ahead(at, b, lookback)),
			BudgetLeft: r.budgetLeft(b),
		})
		if err != nil {
			return err
		}
	}
	return nil
}
