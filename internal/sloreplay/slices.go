package sloreplay

import (
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/flyball-io/flyball"
)

// Slice is what one stretch of event time counted.
type Slice struct {
	// Start of the slice.
	Start flyball.Time
	// Total and Bad samples, 0 ≤ Bad ≤ Total.
	Total, Bad int64
}

// InputError is a slice that cannot be used.
type InputError struct {
	// File, and the line in it, counted from 1.
	File string
	Line int
	// Field is timestamp, total or bad, or empty.
	Field string
	// Reason says what is wrong.
	Reason string
}

// Error returns file:line:field: reason.
func (e *InputError) Error() string {
	if e.Field == "" {
		return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Reason)
	}
	return fmt.Sprintf("%s:%d:%s: %s", e.File, e.Line, e.Field, e.Reason)
}

var columns = [...]string{"timestamp", "total", "bad"}

// maxSamples keeps sums of counts within int64, and every count exact as a float.
const maxSamples = 1 << 53

// ReadSlices reads CSV of timestamp, total and bad: timestamps in RFC 3339 or in
// Unix seconds, whole numbers of samples. The first line may name the columns, in
// any order and among others. Slices may come in any order; those with the same
// start are added up. What cannot be used gives an *InputError with the name of
// the file.
func ReadSlices(file string, in io.Reader) ([]Slice, error) {
	r := csv.NewReader(in)
	r.FieldsPerRecord = -1
	r.TrimLeadingSpace = true
	r.ReuseRecord = true
	place := []int{0, 1, 2}
	var out []Slice
	for first := true; ; first = false {
		record, err := r.Read()
		if err == io.EOF {
			return merge(out), nil
		}
		if err != nil {
			var syntax *csv.ParseError
			if errors.As(err, &syntax) {
				return nil, &InputError{File: file, Line: syntax.Line, Reason: syntax.Err.Error()}
			}
			return nil, fmt.Errorf("cannot read %q: %w", file, err)
		}
		line, _ := r.FieldPos(0)
		if first && isHeader(record) {
			if place, err = header(record); err != nil {
				return nil, &InputError{File: file, Line: line, Reason: err.Error()}
			}
			continue
		}
		s, field, err := parse(record, place)
		if err != nil {
			return nil, &InputError{File: file, Line: line, Field: field, Reason: err.Error()}
		}
		out = append(out, s)
	}
}

// isHeader reports whether no field of a line begins like a number or a time.
func isHeader(record []string) bool {
	return !slices.ContainsFunc(record, func(s string) bool {
		return s == "" || strings.ContainsAny(s[:1], "0123456789+-.")
	})
}

func header(record []string) ([]int, error) {
	place := make([]int, len(columns))
	for i, name := range columns {
		place[i] = slices.IndexFunc(record, func(s string) bool {
			return strings.EqualFold(strings.Trim(s, " \ufeff"), name)
		})
		if place[i] < 0 {
			return nil, fmt.Errorf("no column is named %s; want timestamp,total,bad", name)
		}
	}
	return place, nil
}

func parse(record []string, place []int) (s Slice, field string, err error) {
	for i, name := range columns {
		if place[i] >= len(record) {
			return s, name, fmt.Errorf("it is missing; want timestamp,total,bad")
		}
	}
	if s.Start, err = parseTime(strings.TrimSpace(record[place[0]])); err != nil {
		return s, columns[0], err
	}
	if s.Total, err = parseCount(record[place[1]]); err != nil {
		return s, columns[1], err
	}
	if s.Bad, err = parseCount(record[place[2]]); err != nil {
		return s, columns[2], err
	}
	if s.Bad > s.Total {
		return s, columns[2], fmt.Errorf("%d samples are bad, of %d", s.Bad, s.Total)
	}
	return s, "", nil
}

// parseTime reads RFC 3339 or Unix seconds, with up to nine digits after the
// point.
func parseTime(text string) (flyball.Time, error) {
	if strings.Contains(text, "T") || strings.Count(text, "-") > 1 {
		t, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			return 0, fmt.Errorf("want RFC 3339, such as 2026-01-01T00:00:00Z, or Unix seconds, got %q", text)
		}
		if y := t.UTC().Year(); y < 1700 || y > 2200 {
			return 0, fmt.Errorf("the year of %q is not between 1700 and 2200", text)
		}
		return flyball.TimeOf(t), nil
	}
	whole, fraction, _ := strings.Cut(text, ".")
	seconds, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || len(fraction) > 9 {
		return 0, fmt.Errorf("want RFC 3339, such as 2026-01-01T00:00:00Z, or Unix seconds, got %q", text)
	}
	if seconds > 7e9 || seconds < -7e9 {
		return 0, fmt.Errorf("%q is no time in seconds between the years 1750 and 2190; is it in milliseconds?", text)
	}
	nanos, err := strconv.ParseUint("0"+fraction+strings.Repeat("0", 9-len(fraction)), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("want RFC 3339, such as 2026-01-01T00:00:00Z, or Unix seconds, got %q", text)
	}
	if strings.HasPrefix(whole, "-") {
		return flyball.Time(seconds*1e9 - int64(nanos)), nil
	}
	return flyball.Time(seconds*1e9 + int64(nanos)), nil
}

// parseCount reads a whole number, also one written as a decimal (100.0, 1e6).
func parseCount(text string) (int64, error) {
	text = strings.TrimSpace(text)
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		f, ferr := strconv.ParseFloat(text, 64)
		if ferr != nil || f != math.Trunc(f) || math.Abs(f) > maxSamples {
			return 0, fmt.Errorf("want a whole number of samples, got %q", text)
		}
		n = int64(f)
	}
	if n < 0 || n > maxSamples {
		return 0, fmt.Errorf("want a number of samples between 0 and 2^53, got %s", text)
	}
	return n, nil
}

// merge sorts slices and adds up those that start together.
func merge(list []Slice) []Slice {
	slices.SortStableFunc(list, func(a, b Slice) int { return cmp.Compare(a.Start, b.Start) })
	out := list[:0]
	for _, s := range list {
		if n := len(out); n > 0 && out[n-1].Start == s.Start {
			out[n-1].Total += s.Total
			out[n-1].Bad += s.Bad
			continue
		}
		out = append(out, s)
	}
	return out
}
