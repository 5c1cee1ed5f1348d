package survey

import (
	"math"
	"strings"

	"github.com/klauspost/compress/s2"
	"google.golang.org/protobuf/encoding/protowire"
)

// fields calls each with the fields of a protobuf message until it says false; it
// reports whether all parsed.
func fields(m []byte, each func(n protowire.Number, kind protowire.Type, value []byte) bool) bool {
	for len(m) > 0 {
		n, kind, size := protowire.ConsumeTag(m)
		if size < 0 {
			return false
		}
		m = m[size:]
		size = protowire.ConsumeFieldValue(n, kind, m)
		if size < 0 || !each(n, kind, m[:size]) {
			return false
		}
		m = m[size:]
	}
	return true
}

// inner returns what a field of bytes holds.
func inner(value []byte) []byte {
	b, _ := protowire.ConsumeBytes(value)
	return b
}

// series is one TimeSeries of a WriteRequest (prometheus/prompb/types.proto).
func series(m []byte) (labels map[string]string, values []float64, ok bool) {
	labels = map[string]string{}
	ok = fields(m, func(n protowire.Number, kind protowire.Type, value []byte) bool {
		switch {
		case n == 1 && kind == protowire.BytesType:
			var name, text string
			parsed := fields(inner(value), func(n protowire.Number, kind protowire.Type, v []byte) bool {
				if kind != protowire.BytesType {
					return false
				}
				if n == 1 {
					name = string(inner(v))
				} else if n == 2 {
					text = string(inner(v))
				}
				return true
			})
			labels[name] = text
			return parsed
		case n == 2 && kind == protowire.BytesType:
			return fields(inner(value), func(n protowire.Number, kind protowire.Type, v []byte) bool {
				if n == 1 && kind == protowire.Fixed64Type {
					bits, _ := protowire.ConsumeFixed64(v)
					values = append(values, math.Float64frombits(bits))
				}
				return true
			})
		}
		return true
	})
	return labels, values, ok && labels["__name__"] != ""
}

// isWriteRequest reports whether the first series of a message has a name.
func isWriteRequest(m []byte) bool {
	found := false
	fields(m, func(n protowire.Number, kind protowire.Type, value []byte) bool {
		if n != 1 || kind != protowire.BytesType {
			return n == 3 // metadata
		}
		_, _, found = series(inner(value))
		return false
	})
	return found
}

func readPrometheus(value []byte, compressed bool, each func(Sample)) {
	if compressed {
		var err error
		if value, err = s2.Decode(nil, value); err != nil {
			return
		}
	}
	fields(value, func(n protowire.Number, kind protowire.Type, m []byte) bool {
		if n != 1 || kind != protowire.BytesType {
			return true
		}
		labels, values, ok := series(inner(m))
		if !ok {
			return true
		}
		name := labels["__name__"]
		delete(labels, "__name__")
		for _, v := range values {
			if !math.IsNaN(v) {
				each(Sample{Metric: name, Type: typeOf(name), Labels: labels, Numbers: map[string]float64{"value": v}})
			}
		}
		return true
	})
}

// typeOf tells the type of a series by the usual endings of names.
func typeOf(name string) string {
	for _, end := range []string{"_total", "_count", "_sum", "_bucket"} {
		if strings.HasSuffix(name, end) {
			return "sum"
		}
	}
	return "gauge"
}
