package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

const (
	// sampleEvery is how often progress is looked at.
	sampleEvery = 250 * time.Millisecond
	// An engine that uses less than idleShare of a core for idleFor has nothing left to do.
	idleFor   = 3 * time.Second
	idleShare = 0.10
)

// watch follows the progress of a running engine.
type watch struct {
	*bench
	pid    int
	group  string
	start  time.Time
	exited <-chan error
	gone   bool
	read   int64 // as last seen
}

// follow adds points to a run until everything is read and the engine is idle.
func (w *watch) follow(ctx context.Context, r *Run) error {
	var total int64
	for _, end := range w.ends {
		total += end
	}
	ticker := time.NewTicker(sampleEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return fmt.Errorf("it had committed %d of %d records when time was up", w.committed(context.WithoutCancel(ctx)), total)
		case err := <-w.exited:
			w.gone = true
			return fmt.Errorf("it ended: %w", err)
		case <-ticker.C:
		}
		p, err := w.point(ctx)
		if err != nil {
			return err
		}
		if n := len(r.Points); n == 0 || r.Points[n-1].Records != p.Records {
			r.Points = append(r.Points, p)
		}
		if p.Records == total {
			return w.drain(ctx, r)
		}
		if last := r.Points[len(r.Points)-1]; time.Since(w.start) > w.plan.Limit && last.Records > 0 {
			r.Used, r.Part = last.CPU, true
			r.Peak, err = peakMemory(w.pid)
			return err
		}
	}
}

func (w *watch) point(ctx context.Context) (p Point, err error) {
	p.Records = w.committed(ctx)
	p.At = time.Since(w.start)
	if p.CPU, err = processorTime(w.pid); err == nil {
		p.Broker, err = processorTime(w.broker.PID)
	}
	return p, err
}

// committed is how many records of the input the group has committed; as last seen while
// the broker does not say, such as before there is a group.
func (w *watch) committed(ctx context.Context) int64 {
	offsets, err := w.admin.FetchOffsets(ctx, w.group)
	if err != nil {
		return w.read
	}
	sum := int64(0)
	for p := range w.ends {
		if o, ok := offsets.Lookup(inputTopic, int32(p)); ok && o.At > 0 {
			sum += min(o.At, w.ends[p])
		}
	}
	w.read = max(w.read, sum)
	return w.read
}

// drain waits until the engine is idle.
func (w *watch) drain(ctx context.Context, r *Run) error {
	for {
		before, err := processorTime(w.pid)
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.New("it was not idle when time was up")
		case err := <-w.exited:
			w.gone = true
			return fmt.Errorf("it ended: %w", err)
		case <-time.After(idleFor):
		}
		after, err := processorTime(w.pid)
		if err != nil {
			return err
		}
		if after-before < time.Duration(idleShare*float64(idleFor)) {
			r.Used = before
			r.Peak, err = peakMemory(w.pid)
			return err
		}
	}
}

// profile asks Flyball for a profile of its processor time.
func profile(ctx context.Context, path string, talk io.Writer) {
	err := fetchProfile(ctx, path)
	if err != nil {
		fmt.Fprintf(talk, "cannot get a profile: %v\n", err)
	}
}

func fetchProfile(ctx context.Context, path string) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(2 * time.Second): // it has to start
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+flyballAddress+"/debug/pprof/profile?seconds=4", nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o600)
}
