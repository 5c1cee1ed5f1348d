package main

import (
	"bytes"
	"hash/maphash"
)

// eventsWalker is the floor's decoder of events: it looks for the keys that it needs in
// the order in which the generator writes them, and parses nothing else. Whether the rest
// is JSON it does not ask.
type eventsWalker struct {
	seed maphash.Seed
	out  *tallies
}

var (
	serviceKey  = []byte(`"service":"`)
	routeKey    = []byte(`"route":"`)
	statusKey   = []byte(`"status_code":`)
	durationKey = []byte(`"duration_ms":`)
)

// record implements [recordWalker].
func (w *eventsWalker) record(b []byte) error {
	service, b, ok1 := textAfter(b, serviceKey)
	route, b, ok2 := textAfter(b, routeKey)
	status, b, ok3 := numberAfter(b, statusKey)
	took, _, ok4 := numberAfter(b, durationKey)
	if !ok1 || !ok2 || !ok3 || !ok4 {
		return errWalk
	}
	t := w.out.get(maphash.Bytes(w.seed, service) ^ maphash.Bytes(w.seed, route)*0x9E3779B97F4A7C15)
	t.count++
	if status >= 500 {
		t.failed++
	}
	t.sum += took
	return nil
}

func textAfter(b, key []byte) (value, rest []byte, ok bool) {
	at := bytes.Index(b, key)
	if at < 0 {
		return nil, nil, false
	}
	b = b[at+len(key):]
	end := bytes.IndexByte(b, '"')
	if end < 0 {
		return nil, nil, false
	}
	return b[:end], b[end:], true
}

// numberAfter reads a number without sign or exponent.
func numberAfter(b, key []byte) (value float64, rest []byte, ok bool) {
	at := bytes.Index(b, key)
	if at < 0 {
		return 0, nil, false
	}
	b = b[at+len(key):]
	digits, scale, fraction := int64(0), int64(1), false
	for i, c := range b {
		switch {
		case c >= '0' && c <= '9':
			digits = digits*10 + int64(c-'0')
			if fraction {
				scale *= 10
			}
		case c == '.':
			fraction = true
		default:
			return float64(digits) / float64(scale), b[i:], true
		}
	}
	return 0, nil, false
}
