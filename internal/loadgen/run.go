package loadgen

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/flyball-io/flyball/internal/loadgen/shop"
)

// Sink takes record values. The value is only lent for the time of the call.
type Sink interface {
	Write(ctx context.Context, partition int, value []byte) error
	Flush(ctx context.Context) error
	Partitions() int
}

// Stats are totals since the start of the run.
type Stats struct {
	// Spans, Errors among them, and Delayed: those exported late on purpose.
	Spans   int64 `json:"spans"`
	Errors  int64 `json:"errors"`
	Delayed int64 `json:"delayed"`
	// Records and Bytes of their values, uncompressed.
	Records int64 `json:"records"`
	Bytes   int64 `json:"bytes"`
	// EventTime is how far the shop has come.
	EventTime time.Time `json:"event_time"`
	// Elapsed is wall time.
	Elapsed time.Duration `json:"elapsed_ns"`
}

// Result is what is true about a finished run.
type Result struct {
	Stats
	Truth  *Truth
	Labels []shop.Label
}

// gracePeriod is how long a cancelled run may take to deliver what it has counted.
const gracePeriod = 10 * time.Second

// Runner drives a shop. Heal and SetCanary may be called while Run runs.
type Runner struct {
	cfg     Config
	encoder *shop.Encoder
	truth   *Truth
	batch   *batcher

	mu    sync.Mutex // guards shop
	shop  *shop.Shop
	stats Stats
	turn  int
	value []byte
}

// NewRunner checks the configuration. A zero cfg.Shop.Start becomes the present, or, when the run is
// unpaced, the present minus the run's length, so that no timestamp lies in the future.
func NewRunner(cfg Config) (*Runner, error) {
	if cfg.Shop.Start.IsZero() {
		cfg.Shop.Start = time.Now().UTC().Round(0)
		if cfg.Unpaced {
			length := cfg.Shop.Duration
			if length == 0 && cfg.Shop.Rate > 0 {
				length = time.Duration(float64(cfg.MaxSpans) / cfg.Shop.Rate * float64(time.Second))
			}
			cfg.Shop.Start = cfg.Shop.Start.Add(-length)
		}
	}
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	generator, err := shop.New(cfg.Shop)
	if err != nil {
		return nil, err
	}
	encoder, err := shop.NewEncoder(cfg.Encoding)
	if err != nil {
		return nil, err
	}
	truth, err := NewTruth(cfg.TruthWindow, cfg.TruthBy)
	if err != nil {
		return nil, err
	}
	return &Runner{cfg: cfg, shop: generator, encoder: encoder, truth: truth, batch: newBatcher(cfg.BatchSpans, cfg.BatchTimeout)}, nil
}

// Heal is [shop.Shop.Heal] at the present moment of the run.
func (r *Runner) Heal(service string) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.shop.Heal(service)
}

// SetCanary is [shop.Shop.SetCanary] at the present moment of the run.
func (r *Runner) SetCanary(service string, share float64) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.shop.SetCanary(service, share)
}

// Labels is [shop.Shop.Labels] at the present moment of the run.
func (r *Runner) Labels() []shop.Label {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.shop.Labels()
}

// Run feeds the sink until the configured end or until ctx is cancelled, which is a clean end: requests
// in flight are finished, and everything counted is delivered. onStats, when not nil, is called about
// once a second and at the end. After an error the result is what was handed to the sink, of which an
// unknown part arrived. A runner runs once.
func (r *Runner) Run(ctx context.Context, sink Sink, onStats func(Stats)) (Result, error) {
	work, stop := withGrace(ctx, gracePeriod)
	defer stop()
	err := r.drive(ctx, work, sink, onStats)
	if err == nil {
		err = sink.Flush(work)
	}
	result := Result{Stats: r.stats, Truth: r.truth, Labels: r.Labels()}
	if onStats != nil {
		onStats(r.stats)
	}
	return result, err
}

func (r *Runner) drive(ctx, work context.Context, sink Sink, onStats func(Stats)) error {
	emit := func(spans []shop.Span) error { return r.emit(work, sink, spans) }
	began := time.Now()
	reported := began
	for !r.finished() && ctx.Err() == nil {
		next := r.shop.Now().Add(shop.Slot)
		if !r.cfg.Unpaced && !sleepUntil(ctx, began.Add(next.Sub(r.cfg.Shop.Start))) {
			break
		}
		r.mu.Lock()
		spans := r.shop.Next(next)
		r.mu.Unlock()
		if err := r.batch.add(r.limit(spans), next.UnixNano(), emit); err != nil {
			return err
		}
		now := time.Now()
		r.stats.EventTime, r.stats.Elapsed = next, now.Sub(began)
		if onStats != nil && now.Sub(reported) >= time.Second {
			reported = now
			onStats(r.stats)
		}
	}
	r.mu.Lock()
	rest := r.shop.Stop()
	r.mu.Unlock()
	if err := r.batch.add(r.limit(rest), r.shop.Now().UnixNano(), emit); err != nil {
		return err
	}
	err := r.batch.flush(emit)
	r.stats.Elapsed = time.Since(began)
	return err
}

// finished: after the configured duration the spans still on their way go out at once, so that a
// paced run does not wait for late ones.
func (r *Runner) finished() bool {
	return r.shop.Done() || !r.cfg.Unpaced && !r.shop.Accepting() || r.cfg.MaxSpans > 0 && r.room() == 0
}

// room is how many more spans MaxSpans lets through.
func (r *Runner) room() int64 {
	return r.cfg.MaxSpans - r.stats.Spans - int64(len(r.batch.waiting))
}

func (r *Runner) limit(spans []shop.Span) []shop.Span {
	if r.cfg.MaxSpans > 0 && int64(len(spans)) > r.room() {
		return spans[:r.room()]
	}
	return spans
}

// emit encodes one record and gives it to the next partition in turn.
func (r *Runner) emit(ctx context.Context, sink Sink, spans []shop.Span) error {
	r.value = r.encoder.Append(r.value[:0], spans)
	if err := sink.Write(ctx, r.turn%sink.Partitions(), r.value); err != nil {
		return err
	}
	r.turn++
	r.truth.Add(spans)
	r.stats.Records++
	r.stats.Bytes += int64(len(r.value))
	r.stats.Spans += int64(len(spans))
	for i := range spans {
		if spans[i].Failed() {
			r.stats.Errors++
		}
		if spans[i].Delayed() {
			r.stats.Delayed++
		}
	}
	return nil
}

// withGrace is a context that outlives ctx by the given time.
func withGrace(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var mu sync.Mutex
	var timer *time.Timer
	ended := false
	unhook := context.AfterFunc(ctx, func() {
		mu.Lock()
		defer mu.Unlock()
		if !ended {
			timer = time.AfterFunc(grace, cancel)
		}
	})
	return work, func() {
		unhook()
		mu.Lock()
		defer mu.Unlock()
		ended = true
		if timer != nil {
			timer.Stop()
		}
		cancel()
	}
}

// sleepUntil reports whether the time came before the end of ctx.
func sleepUntil(ctx context.Context, at time.Time) bool {
	wait := time.Until(at)
	if wait <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// Run is a whole run: it opens the sink that cfg names, drives a [Runner] and closes the sink.
func Run(ctx context.Context, cfg Config, onStats func(Stats)) (result Result, err error) {
	if (len(cfg.Kafka.Brokers) > 0) == (cfg.Dir != "") {
		return Result{}, fmt.Errorf("cannot choose a sink: want exactly one of brokers and a directory")
	}
	runner, err := NewRunner(cfg)
	if err != nil {
		return Result{}, err
	}
	var sink interface {
		Sink
		Close() error
	}
	if cfg.Dir != "" {
		sink, err = NewFileSink(cfg.Dir, cfg.Topic, cfg.Partitions, cfg.Encoding)
	} else {
		sink, err = NewKafkaSink(ctx, cfg.Kafka, cfg.Topic, cfg.Partitions)
	}
	if err != nil {
		return Result{}, err
	}
	defer func() {
		if closed := sink.Close(); err == nil {
			err = closed
		}
	}()
	return runner.Run(ctx, sink, onStats)
}
