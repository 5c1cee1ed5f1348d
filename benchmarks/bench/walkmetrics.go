package main

import (
	"encoding/binary"
	"hash/maphash"
	"math"
)

// metricsWalker is the floor's decoder of metrics: service.name, and of the gauge that
// is wanted http.route, the status code and the number of each point. Like walker it
// trusts the bytes.
type metricsWalker struct {
	seed maphash.Seed
	out  *tallies
}

// each calls f with every field of bytes of a message that has that number.
func each(b []byte, number byte, f func(value []byte) error) error {
	for i := 0; i < len(b); {
		tag := b[i]
		from, to := field(b, i)
		if to < 0 {
			return errWalk
		}
		if tag == number<<3|2 {
			if err := f(b[from:to]); err != nil {
				return err
			}
		}
		i = to
	}
	return nil
}

// record implements [recordWalker].
func (w *metricsWalker) record(b []byte) error {
	return each(b, 1, func(resource []byte) error {
		var service uint64
		if err := each(resource, 1, func(r []byte) error {
			service = maphash.Bytes(w.seed, attribute(r, 1<<3|2, "service.name"))
			return nil
		}); err != nil {
			return err
		}
		return each(resource, 2, func(scope []byte) error {
			return each(scope, 2, func(metric []byte) error { return w.metric(metric, service) })
		})
	})
}

func (w *metricsWalker) metric(b []byte, service uint64) error {
	from, to := field(b, 0)
	if to < 0 || b[0] != 1<<3|2 {
		return errWalk
	}
	if string(b[from:to]) != "http.server.active_time" {
		return nil
	}
	return each(b, 5, func(gauge []byte) error {
		for i := 0; i < len(gauge); {
			from, to := field(gauge, i)
			if to < 0 || !w.point(gauge[from:to], service) {
				return errWalk
			}
			i = to
		}
		return nil
	})
}

// point walks one NumberDataPoint, whose attributes take less than 128 bytes.
func (w *metricsWalker) point(b []byte, service uint64) bool {
	var value float64
	var route, status []byte
	for i := 0; i < len(b); {
		from, to := field(b, i)
		if to < 0 {
			return false
		}
		switch b[i] {
		case 4<<3 | 1: // as_double
			value = math.Float64frombits(binary.LittleEndian.Uint64(b[from:]))
		case 7<<3 | 2: // attributes
			kv := b[from:to]
			switch {
			case len(kv) > 12 && kv[1] == 10 && string(kv[2:12]) == "http.route":
				route = text(kv[12:])
			case len(kv) > 27 && kv[1] == 25 && string(kv[2:27]) == "http.response.status_code":
				status = text(kv[27:])
			}
		}
		i = to
	}
	t := w.out.get(service ^ maphash.Bytes(w.seed, route)*0x9E3779B97F4A7C15)
	t.count++
	if len(status) > 0 && status[0] == '5' {
		t.failed++
	}
	t.sum += value
	return true
}
