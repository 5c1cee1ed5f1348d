package executor

import (
	"errors"
	"sync"

	"github.com/flyball-io/flyball"
)

// ErrNoCommand means that a record is no command.
var ErrNoCommand = errors.New("the record is no command")

// attempt identifies an attempt of an operation.
type attempt struct {
	operation string
	number    int
}

// state is what was reported of an attempt.
type state struct {
	accepted, ended bool
	started         flyball.Time
}

// History is what was reported of attempts. It is safe for concurrent use.
type History struct {
	mu   sync.Mutex
	of   map[attempt]state
	ring []attempt // in the order in which they came
	most int
}

// NewHistory returns an empty one that remembers so many attempts, the latest.
func NewHistory(most int) *History { return &History{of: map[attempt]state{}, most: most} }

// Note takes an outcome, of this executor or another.
func (h *History) Note(o *flyball.Outcome) {
	h.mu.Lock()
	defer h.mu.Unlock()
	k := attempt{o.OperationID, o.Attempt}
	s, known := h.of[k]
	if !known {
		h.ring = append(h.ring, k)
		if len(h.ring) > h.most {
			delete(h.of, h.ring[0])
			h.ring = h.ring[1:]
		}
	}
	if o.Class == flyball.OutcomeAccepted {
		s.accepted, s.started = true, o.Started
	} else {
		s.ended = true
	}
	h.of[k] = s
}

// Of returns what is known of an attempt.
func (h *History) Of(operation string, number int) state {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.of[attempt{operation, number}]
}
