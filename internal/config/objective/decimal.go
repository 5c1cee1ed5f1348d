package objective

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/flyball-io/flyball/internal/config/spec"
)

// PPB is one, in parts per thousand million.
const PPB = 1_000_000_000

// ParsePPB reads a decimal into parts per thousand million, exactly: shift
// moves the point to the left (2 for percent).
func ParsePPB(d spec.Decimal, shift int) (int64, error) {
	whole, fraction, _ := strings.Cut(string(d), ".")
	whole = strings.Repeat("0", shift) + whole
	digits := whole[:len(whole)-shift] + "." + whole[len(whole)-shift:] + fraction
	whole, fraction, _ = strings.Cut(digits, ".")
	whole, fraction = strings.TrimLeft(whole, "0"), strings.TrimRight(fraction, "0")
	if len(fraction) > 9 {
		return 0, fmt.Errorf("%s has more digits than can be kept: at most %d after the point", d, 9-shift)
	}
	n, err := strconv.ParseInt("0"+fraction+strings.Repeat("0", 9-len(fraction)), 10, 64)
	if err != nil || whole != "" || n == 0 {
		return 0, fmt.Errorf("want more than 0 and less than %s, got %s", map[int]string{0: "1", 2: "100"}[shift], d)
	}
	return n, nil
}

// FormatPPB writes parts per thousand million as a decimal.
func FormatPPB(n int64) spec.Decimal {
	return spec.Decimal(strings.TrimRight(strings.TrimRight(fmt.Sprintf("%d.%09d", n/PPB, n%PPB), "0"), "."))
}
