package main

import (
	"encoding/binary"
	"errors"
	"hash/maphash"
)

// tally is what the floor knows of one service and route.
type tally struct {
	hash                 uint64
	count, failed, nanos uint64
	sum                  float64 // of values that are not whole
}

// tallies is a hash table of them by the hash alone; its size is a power of two.
type tallies struct {
	slots []tally
	used  int
}

func newTallies() *tallies { return &tallies{slots: make([]tally, 1024)} }

func (t *tallies) get(hash uint64) *tally {
	mask := uint64(len(t.slots) - 1)
	for at := hash & mask; ; at = (at + 1) & mask {
		s := &t.slots[at]
		if s.hash == hash {
			return s
		}
		if s.count == 0 {
			return t.add(s, hash)
		}
	}
}

func (t *tallies) add(s *tally, hash uint64) *tally {
	if 2*t.used >= len(t.slots) {
		old := t.slots
		t.slots, t.used = make([]tally, 2*len(old)), 0
		for _, o := range old {
			if o.count > 0 {
				*t.get(o.hash) = o
			}
		}
		return t.get(hash)
	}
	t.used++
	s.hash = hash
	return s
}

// merge adds other tallies.
func (t *tallies) merge(o *tallies) {
	for _, s := range o.slots {
		if s.count > 0 {
			d := t.get(s.hash)
			d.count, d.failed, d.nanos, d.sum = d.count+s.count, d.failed+s.failed, d.nanos+s.nanos, d.sum+s.sum
		}
	}
}

var errWalk = errors.New("cannot walk spans: the bytes are not what the generator writes")

// walker is the floor's decoder: it finds service.name, http.route, start, end
// and status of every span and steps over everything else. It trusts that a
// resource stands before its spans and that a tag takes one byte, two for flags.
type walker struct {
	seed maphash.Seed
	out  *tallies
}

// record walks one TracesData.
func (w *walker) record(b []byte) error {
	for i := 0; i < len(b); {
		tag := b[i]
		from, to := field(b, i)
		if to < 0 {
			return errWalk
		}
		if tag == 1<<3|2 { // resource_spans
			if err := w.resourceSpans(b[from:to]); err != nil {
				return err
			}
		}
		i = to
	}
	return nil
}

func (w *walker) resourceSpans(b []byte) error {
	var service uint64
	for i := 0; i < len(b); {
		tag := b[i]
		from, to := field(b, i)
		if to < 0 {
			return errWalk
		}
		switch tag {
		case 1<<3 | 2: // resource
			service = maphash.Bytes(w.seed, attribute(b[from:to], 1<<3|2, "service.name"))
		case 2<<3 | 2: // scope_spans
			if err := w.scopeSpans(b[from:to], service); err != nil {
				return err
			}
		}
		i = to
	}
	return nil
}

func (w *walker) scopeSpans(b []byte, service uint64) error {
	for i := 0; i < len(b); {
		tag := b[i]
		from, to := field(b, i)
		if to < 0 {
			return errWalk
		}
		if tag == 2<<3|2 && !w.span(b[from:to], service) { // spans
			return errWalk
		}
		i = to
	}
	return nil
}

// span walks one Span, most of whose fields are attributes of less than 128
// bytes.
func (w *walker) span(b []byte, service uint64) bool {
	var start, end uint64
	var route []byte
	failed := uint64(0)
	for i := 0; i < len(b); {
		tag := b[i]
		if tag == 9<<3|2 && i+1 < len(b) && b[i+1] < 0x80 { // attributes
			from := i + 2
			i = from + int(b[i+1])
			if i > len(b) {
				return false
			}
			if kv := b[from:i]; len(kv) > 12 && kv[1] == 10 && string(kv[2:12]) == "http.route" {
				route = text(kv[12:])
			}
			continue
		}
		from, to := field(b, i)
		if to < 0 {
			return false
		}
		switch tag {
		case 7<<3 | 1: // start_time_unix_nano
			start = binary.LittleEndian.Uint64(b[from:])
		case 8<<3 | 1: // end_time_unix_nano
			end = binary.LittleEndian.Uint64(b[from:])
		case 15<<3 | 2: // status
			if isError(b[from:to]) {
				failed = 1
			}
		}
		i = to
	}
	t := w.out.get(service ^ maphash.Bytes(w.seed, route)*0x9E3779B97F4A7C15)
	t.count++
	t.failed += failed
	t.nanos += end - start
	return true
}

// isError reports whether a Status has code ERROR.
func isError(b []byte) bool {
	for i := 0; i < len(b); {
		from, to := field(b, i)
		if to < 0 {
			return false
		}
		if b[i] == 3<<3 { // field 3, a varint
			return b[from] == 2
		}
		i = to
	}
	return false
}

// attribute finds a string among the attributes of a message.
func attribute(b []byte, list byte, key string) []byte {
	for i := 0; i < len(b); {
		from, to := field(b, i)
		if to < 0 {
			return nil
		}
		if kv := b[from:to]; b[i] == list && len(kv) > len(key)+2 && int(kv[1]) == len(key) && string(kv[2:2+len(key)]) == key {
			return text(kv[2+len(key):])
		}
		i = to
	}
	return nil
}

// text reads the AnyValue field of a KeyValue that is a string.
func text(b []byte) []byte {
	from, to := field(b, 0)
	if to <= from || b[from] != 1<<3|2 {
		return nil
	}
	value := b[from:to]
	if from, to = field(value, 0); to < 0 {
		return nil
	}
	return value[from:to]
}

// field returns where the value of the field at b[i] starts and ends; the end is
// -1 when it is not within b.
func field(b []byte, i int) (from, to int) {
	from = i + 1
	if b[i] >= 0x80 {
		from++
	}
	switch b[i] & 7 {
	case 2:
		n, shift := 0, 0
		for ; from < len(b) && shift < 28; shift += 7 {
			c := b[from]
			from++
			n |= int(c&0x7f) << shift
			if c < 0x80 {
				if to = from + n; to <= len(b) {
					return from, to
				}
				break
			}
		}
		return 0, -1
	case 1:
		to = from + 8
	case 5:
		to = from + 4
	case 0:
		for to = from; to < len(b) && b[to] >= 0x80; {
			to++
		}
		to++
	default:
		return 0, -1
	}
	if to > len(b) {
		return 0, -1
	}
	return from, to
}
