package scenario

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/scenario/input"
)

// expectation is what an expect command wants.
type expectation struct {
	text  string
	total bool // of the whole run, not since the last expect
	// count is how many lines must fit; at least one when some is set.
	count int
	some  bool
	// pattern is what a line must have, as fits says.
	pattern []string
	// samples, when set, is how many samples all lines of the kind must add up to.
	samples int64
	kind    string
}

// parseExpect reads
//
//	expect [total] [N|no|some] KIND [word…]
//	expect [total] late|rejected N
//	expect none
func parseExpect(args []string) (action, error) {
	e := expectation{text: strings.Join(args, " "), count: 1, samples: -1}
	if len(args) > 0 && args[0] == "total" {
		e.total, args = true, args[1:]
	}
	if len(args) == 0 {
		return nil, fmt.Errorf("expect what? %s", "such as expect window cart count=30, expect no finding, expect late 3, expect none")
	}
	if args[0] == "none" {
		e.count = 0
		return e.check, noMore(args[1:])
	}
	if n, err := strconv.Atoi(args[0]); err == nil {
		e.count, args = n, args[1:]
	} else if args[0] == "no" {
		e.count, args = 0, args[1:]
	} else if args[0] == "some" {
		e.some, args = true, args[1:]
	}
	if len(args) == 0 {
		return nil, fmt.Errorf("want a kind: one of %s", strings.Join(kinds(), " "))
	}
	e.kind = args[0]
	if !slices.Contains(kinds(), e.kind) {
		e.kind = strings.TrimSuffix(e.kind, "s")
	}
	if !slices.Contains(kinds(), e.kind) {
		return nil, fmt.Errorf("unknown kind %q: want one of %s, or none", args[0], strings.Join(kinds(), " "))
	}
	if len(args) == 2 && (e.kind == kindLate || e.kind == kindRejected) {
		if n, err := strconv.ParseInt(args[1], 10, 64); err == nil {
			e.samples = n
			return e.check, nil
		}
	}
	e.pattern = append([]string{e.kind}, args[1:]...)
	return e.check, nil
}

// check compares what came out with what is expected; r.problem says what is
// wrong.
func (e expectation) check(r *run) error {
	lines, when := r.recent, "since the last expect"
	if e.total {
		lines, when = r.all, "so far"
	}
	if e.samples >= 0 {
		var got int64
		for _, l := range lines {
			if l.kind == e.kind {
				got += l.samples
			}
		}
		if got != e.samples {
			r.problem = fmt.Sprintf("expected %d samples %s, %d were; what came %s:%s", e.samples, e.kind, got, when, r.listing(lines, e.kind))
		}
		return nil
	}
	n := 0
	for _, l := range lines {
		if fits(l.words, e.pattern) {
			n++
		}
	}
	if e.some && n > 0 || !e.some && n == e.count {
		return nil
	}
	r.problem = e.explain(r, lines, n, when)
	return nil
}

// explain says what is wrong, and which line comes nearest.
func (e expectation) explain(r *run, lines []line, n int, when string) string {
	if len(e.pattern) == 0 {
		return fmt.Sprintf("expected nothing to come out, but %s there came:%s", when, r.listing(lines, ""))
	}
	want := fmt.Sprintf("expected %d lines with", e.count)
	switch {
	case e.some:
		want = "expected a line with"
	case e.count == 0:
		want = "expected no line with"
	case e.count == 1:
		want = "expected one line with"
	}
	text := fmt.Sprintf("%s %q, %s there came %d", want, strings.Join(e.pattern, " "), when, n)
	if near, missing := nearest(lines, e.pattern); n < max(e.count, 1) && len(missing) > 0 {
		text += fmt.Sprintf("\n    nearest: %s\n    lacks:   %s", near.text(), strings.Join(missing, " "))
	}
	return text + "\n    what came:" + r.listing(lines, e.kind)
}

// nearest returns the line that has the most of the words, and those that it
// lacks.
func nearest(lines []line, pattern []string) (best line, missing []string) {
	for _, l := range lines {
		if l.kind != pattern[0] {
			continue
		}
		var lacks []string
		for _, p := range pattern {
			if !fits(l.words, []string{p}) {
				lacks = append(lacks, p)
			}
		}
		if len(lacks) > 0 && (best.kind == "" || len(lacks) < len(missing)) {
			best, missing = l, lacks
		}
	}
	return best, missing
}

// listing writes lines of a kind, all when kind is "".
func (r *run) listing(lines []line, kind string) string {
	const most = 20
	var b strings.Builder
	n := 0
	for _, l := range lines {
		if kind != "" && l.kind != kind {
			continue
		}
		if n++; n <= most {
			fmt.Fprintf(&b, "\n      %s %s", r.printer.time(l.at), l.text())
		}
	}
	if n == 0 {
		return " nothing of that kind"
	}
	if n > most {
		fmt.Fprintf(&b, "\n      and %d more", n-most)
	}
	return b.String()
}

// fits reports whether words has every word of the pattern: plain ones in that
// order, and fields that compare (count>=30) anywhere.
func fits(words, pattern []string) bool {
	at := 0
	for _, p := range pattern {
		m := comparison.FindStringSubmatch(p)
		if m != nil && slices.ContainsFunc(words, func(w string) bool { return fieldFits(w, m[1], m[2], m[3]) }) {
			continue
		}
		n := slices.Index(words[at:], p)
		if n < 0 {
			return false
		}
		at += n + 1
	}
	return true
}

var comparison = regexp.MustCompile(`^([A-Za-z_][A-Za-z0-9_.]*)(<=|>=|!=|=|<|>)(.+)$`)

// fieldFits reports whether a word is that field and its value compares so.
func fieldFits(word, field, op, want string) bool {
	value, ok := strings.CutPrefix(word, field+"=")
	if !ok {
		return false
	}
	a, okA := number(value)
	b, okB := number(want)
	if !okA || !okB {
		return op == "=" && value == want || op == "!=" && value != want
	}
	switch op {
	case "=":
		return a == b
	case "!=":
		return a != b
	case "<":
		return a < b
	case "<=":
		return a <= b
	case ">":
		return a > b
	}
	return a >= b
}

// number reads a number or a duration.
func number(s string) (float64, bool) {
	if n, err := flyball.ParseQuantity(s); err == nil {
		return n, true
	}
	d, err := input.Duration(s)
	return float64(d), err == nil
}
