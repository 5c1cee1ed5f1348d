package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/detectors/anomaly"
)

// series is one file of the benchmark.
type series struct {
	name      string // category/file.csv
	points    []anomaly.Point
	low, high float64 // of all values
	probation int     // rows that are not scored
	rows      []row
	windows   int
}

func (s *series) category() string { return path.Dir(s.name) }

// row is what an alert on one row is worth, before weights: in a window, by how
// early it comes; outside, by how far it is from the window before.
type row struct {
	window int // −1 outside
	value  float64
}

// sigmoid is the benchmark's discount (Lavin and Ahmad, 2015).
func sigmoid(y float64) float64 {
	if y > 3 {
		return -1
	}
	return 2/(1+math.Exp(5*y)) - 1
}

// readCorpus reads the folder of the benchmark.
func readCorpus(dir string) ([]*series, error) {
	text, err := os.ReadFile(filepath.Join(dir, "labels", "combined_windows.json"))
	if err != nil {
		return nil, fmt.Errorf("cannot read labels: %w", err)
	}
	var labels map[string][][2]string
	if err := json.Unmarshal(text, &labels); err != nil {
		return nil, fmt.Errorf("cannot read labels: %w", err)
	}
	var list []*series
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		s, err := readSeries(filepath.Join(dir, "data", filepath.FromSlash(name)), name, labels[name])
		if err != nil {
			return nil, fmt.Errorf("cannot read series %q: %w", name, err)
		}
		list = append(list, s)
	}
	return list, nil
}

func readSeries(file, name string, windows [][2]string) (*series, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	cells, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, err
	}
	s := &series{name: name, low: math.Inf(1), high: math.Inf(-1), windows: len(windows)}
	first := map[string]int{}
	for i, c := range cells[1:] {
		at, err := time.Parse(time.DateTime, c[0])
		if err != nil {
			return nil, err
		}
		v, err := strconv.ParseFloat(c[1], 64)
		if err != nil {
			return nil, err
		}
		s.points = append(s.points, anomaly.Point{At: flyball.TimeOf(at), Value: v, Count: 1})
		s.low, s.high = min(s.low, v), max(s.high, v)
		if _, seen := first[c[0]]; !seen {
			first[c[0]] = i
		}
	}
	s.probation = int(min(0.15*float64(len(s.points)), 0.15*5000))
	return s, s.value(windows, first)
}

// value works out what an alert on each row is worth.
func (s *series) value(windows [][2]string, first map[string]int) error {
	outside := func(from, to, last int, width float64) {
		for i := from; i < to; i++ {
			v := -1.0
			if width > 0 {
				v = sigmoid(float64(i-last) / (width - 1))
			}
			s.rows = append(s.rows, row{-1, v})
		}
	}
	next, last, width := 0, 0, 0.0
	for n, w := range windows {
		from, known := first[bare(w[0])]
		to, also := first[bare(w[1])]
		if !known || !also || from < next {
			return fmt.Errorf("window %v is not in the data", w)
		}
		outside(next, from, last, width)
		width = float64(to - from + 1)
		for i := from; i <= to; i++ {
			s.rows = append(s.rows, row{n, sigmoid(-float64(to-i+1)/width) / sigmoid(-1)})
		}
		next, last = to+1, to
	}
	outside(next, len(s.points), last, width)
	return nil
}

// bare cuts fractions of seconds off.
func bare(stamp string) string {
	stamp, _, _ = strings.Cut(stamp, ".")
	return stamp
}
