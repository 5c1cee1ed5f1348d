package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/flyball-io/flyball/detectors/anomaly"
)

// rangeTable holds declared ranges by file: its path from the input directory,
// or its name alone.
type rangeTable map[string]valueRange

// apply returns cfg with the range of a file.
func (t rangeTable) apply(cfg anomaly.Config, file string) anomaly.Config {
	r, ok := t[file]
	if !ok {
		r, ok = t[path.Base(file)]
	}
	if ok && r.min < r.max { // a range without width tells nothing
		cfg.Min, cfg.Max = r.min, r.max
	}
	return cfg
}

// readRanges reads rows of file,min,max, with or without a header.
func readRanges(name string) (rangeTable, error) {
	table := rangeTable{}
	if name == "" {
		return table, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("cannot read ranges: %w", err)
	}
	defer f.Close()
	rows := csv.NewReader(f)
	rows.FieldsPerRecord = 3
	rows.TrimLeadingSpace = true
	for first := true; ; first = false {
		cells, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return table, nil
		}
		if err != nil {
			return nil, fmt.Errorf("cannot read ranges %q: %w", name, err)
		}
		if first && strings.EqualFold(cells[1], "min") {
			continue
		}
		line, _ := rows.FieldPos(0)
		low, errLow := strconv.ParseFloat(strings.TrimSpace(cells[1]), 64)
		high, errHigh := strconv.ParseFloat(strings.TrimSpace(cells[2]), 64)
		if err := errors.Join(errLow, errHigh); err != nil {
			return nil, fmt.Errorf("cannot read %s:%d: %w", name, line, err)
		}
		if !(low <= high) || math.IsInf(high-low, 0) {
			return nil, fmt.Errorf("cannot read %s:%d: min %g is above max %g", name, line, low, high)
		}
		table[filepath.ToSlash(cells[0])] = valueRange{low, high}
	}
}
