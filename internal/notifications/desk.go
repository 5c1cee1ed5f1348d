package notifications

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/sinks/notify"
	"github.com/flyball-io/flyball/sinks/notify/grouping"
)

// grace is how long what is being sent may take once the process is to end.
const grace = 4 * time.Second

// Dead is a notification that a receiver does not want.
type Dead struct {
	// Value is the notification as JSON, Reason a constant, Detail what was answered.
	Value          []byte
	Reason, Detail string
}

// ReasonRefused is the reason of dead letters.
const ReasonRefused = "notification_refused"

// Output is what must be committed together.
type Output struct {
	State   []grouping.Change
	Dead    []Dead
	Limited map[string]int
}

// Desk tells receivers what the machine says, one notification at a time to each. It
// outlives sessions: what was being sent when one was lost is not sent again. All methods
// but those of its own goroutines are for one goroutine.
type Desk struct {
	receivers []receiver
	metrics   *Metrics
	log       *slog.Logger
	life      context.Context // of the process
	send      context.Context // a little longer: of what is being sent
	gone      context.Context // longer still: then nothing is waited for

	machine  *grouping.Machine // nil when somebody else has the partitions
	entries  []grouping.Entry
	receipts []grouping.Receipt // not committed yet
	dead     []Dead             // the same
	sending  map[string]bool
	answers  chan answer
}

// answer is what came of sending.
type answer struct {
	delivery *grouping.Delivery
	result   notify.Result
	after    time.Duration
	err      error
}

// NewDesk returns a desk for the receivers of a configuration. It works until ctx ends,
// and finishes what it is sending then. Limits may be zero.
func NewDesk(ctx context.Context, c *config.Config, limits notify.Limits, m *Metrics, log *slog.Logger) (*Desk, error) {
	receivers, err := build(c, limits)
	if err != nil {
		return nil, err
	}
	send, cancel := context.WithCancel(context.WithoutCancel(ctx))
	gone, leave := context.WithCancel(context.WithoutCancel(ctx))
	context.AfterFunc(ctx, func() {
		time.AfterFunc(grace, cancel)
		time.AfterFunc(2*grace, leave)
	})
	return &Desk{receivers: receivers, metrics: m, log: log, life: ctx, send: send, gone: gone,
		sending: map[string]bool{}, answers: make(chan answer, len(receivers))}, nil
}

// Begin takes over, with what predecessors have left in the state topic.
func (d *Desk) Begin(state map[string][]byte) error {
	var list []grouping.Receiver
	for _, r := range d.receivers {
		list = append(list, r.grouping)
	}
	m := grouping.New(list)
	for _, key := range slices.Sorted(maps.Keys(state)) {
		if err := m.Restore(key, state[key]); err != nil {
			return err
		}
	}
	d.machine, d.entries = m, nil
	return nil
}

// Drop leaves it to somebody else.
func (d *Desk) Drop() { d.machine, d.entries = nil, nil }

// Add adds an event to the next step.
func (d *Desk) Add(e grouping.Entry) {
	if d.machine != nil {
		d.entries = append(d.entries, e)
	}
}

// Step steps the machine. When the process is to end it waits for what is being sent, at
// most until ctx ends.
func (d *Desk) Step(ctx context.Context, now time.Time) Output {
	for wait := d.life.Err() != nil; ; {
		select {
		case a := <-d.answers:
			d.answered(&a)
			continue
		default:
		}
		if !wait || len(d.sending) == 0 {
			break
		}
		select {
		case a := <-d.answers:
			d.answered(&a)
		case <-ctx.Done():
			wait = false
		}
	}
	if d.machine == nil {
		d.receipts = nil // whoever took over tells it once more
		return Output{Dead: d.dead}
	}
	r := d.machine.Step(flyball.TimeOf(now), d.entries, d.receipts)
	for u, n := range r.Untold {
		d.metrics.notifications.WithLabelValues(u.Receiver, u.Why).Add(float64(n))
	}
	return Output{State: r.State, Dead: d.dead, Limited: r.Limited}
}

// answered takes what came of sending.
func (d *Desk) answered(a *answer) {
	name := a.delivery.Receiver
	delete(d.sending, name)
	d.metrics.notifications.WithLabelValues(name, string(a.result)).Inc()
	d.receipts = append(d.receipts, grouping.Receipt{Delivery: a.delivery, Told: a.result != notify.Failed, After: a.after})
	attrs := []any{"receiver", name, "group", a.delivery.Group, "status", string(a.delivery.Status), "notification", a.delivery.ID}
	switch a.result {
	case notify.Failed:
		d.log.Warn("cannot notify; trying again", append(attrs, "error", a.err.Error())...)
	case notify.Refused:
		d.log.Error("a receiver refuses a notification", append(attrs, "error", a.err.Error())...)
		value, err := json.Marshal(a.delivery.Notification)
		if err != nil {
			value = []byte(a.delivery.ID)
		}
		d.dead = append(d.dead, Dead{value, ReasonRefused, a.err.Error()})
	default:
		d.log.Info("notified", attrs...)
	}
}

// End says whether what Step returned is durable. If it is, what is due is sent.
func (d *Desk) End(committed bool, now time.Time) {
	d.entries = nil
	if committed {
		d.receipts, d.dead = nil, nil
	}
	switch {
	case d.machine == nil:
		return
	case !committed:
		d.machine.Abort()
		return
	}
	d.machine.Commit()
	for i := range d.receivers {
		r := &d.receivers[i]
		name := r.grouping.Name
		d.metrics.pending.WithLabelValues(name).Set(float64(d.machine.Pending(name)))
		d.metrics.circuit.WithLabelValues(name).Set(map[bool]float64{true: 1}[r.sender.Open()])
		if d.sending[name] || d.life.Err() != nil {
			continue
		}
		due := d.machine.Next(name, flyball.TimeOf(now))
		if due == nil {
			continue
		}
		d.sending[name] = true
		go func() {
			result, after, err := r.sender.Send(d.send, &due.Notification)
			d.answers <- answer{due, result, after, err}
		}()
	}
}

// Busy reports whether something was sent that is not committed.
func (d *Desk) Busy() bool {
	return d.gone.Err() == nil && (len(d.sending) > 0 || len(d.receipts) > 0)
}
