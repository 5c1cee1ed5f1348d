package rows

import (
	"math"
	"strconv"
	"unsafe"
)

// AppendDouble writes f in the shortest form that reads back the same, with an
// exponent only where ECMAScript has one (ECMA-262, Number::toString).
func AppendDouble(dst []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, "NaN"...)
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	}
	abs := math.Abs(f)
	if abs == 0 || abs >= 1e-6 && abs < 1e21 {
		return strconv.AppendFloat(dst, f, 'f', -1, 64)
	}
	dst = strconv.AppendFloat(dst, f, 'e', -1, 64)
	if n := len(dst); dst[n-4] == 'e' && dst[n-3] == '-' && dst[n-2] == '0' {
		dst = append(dst[:n-2], dst[n-1]) // e-09 is written e-9
	}
	return dst
}

// ParseNumber reads a decimal number. Hexadecimal and underscores, which Go
// reads too, are not numbers to other tools that read the same telemetry.
func ParseNumber(s []byte) (float64, bool) {
	for _, c := range s {
		if (c < '0' || c > '9') && c != '.' && c != '-' && c != '+' && c != 'e' && c != 'E' {
			return 0, false
		}
	}
	f, err := strconv.ParseFloat(Text(s), 64)
	return f, err == nil
}

// Text views b as a string for the length of a call that does not keep it.
func Text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
