package kubernetes

import (
	"fmt"
	"strconv"
	"strings"
)

// replicas reads how many replicas a command wants: 5, or a change from what there is,
// +2, -1, +25% or -10%. A share that is no whole number is rounded up: to grow a bit more
// and to shrink a bit less is what does less harm. A change stops at the limits; one that
// stops where it began is refused, so that a rule can tell that this no longer helps.
func (o *Operator) replicas(text string, was int32) (int32, error) {
	least, most := int64(o.spec.MinReplicas), int64(o.spec.MaxReplicas)
	number, share := strings.CutSuffix(text, "%")
	n, err := strconv.ParseInt(number, 10, 32)
	relative := strings.HasPrefix(text, "+") || strings.HasPrefix(text, "-")
	if err != nil || share && !relative {
		return 0, fmt.Errorf("%w: params.replicas is %q, want a number as 5, or a change as +2, -1, +25%% or -10%%", ErrRefused, text)
	}
	if !relative {
		if n < least || n > most {
			return 0, fmt.Errorf("%w: %d replicas are outside %d to %d", ErrRefused, n, least, most)
		}
		return int32(n), nil
	}
	if share {
		n = ceilDiv(n*int64(was), 100)
	}
	to := min(max(int64(was)+n, least), most)
	// Limits do not turn a change around: what is beyond them was set by somebody else.
	if n >= 0 && to <= int64(was) || n <= 0 && to >= int64(was) {
		return 0, fmt.Errorf("%w: %s of %d replicas within %d to %d changes nothing", ErrRefused, text, was, least, most)
	}
	return int32(to), nil
}

// ceilDiv divides and rounds up; b is positive.
func ceilDiv(a, b int64) int64 {
	q := a / b
	if a%b > 0 {
		q++
	}
	return q
}
