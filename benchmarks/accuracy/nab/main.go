package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/flyball-io/flyball/benchmarks/figures"
)

func main() {
	data := flag.String("nab", filepath.Join(os.Getenv("FLYBALL_SHARED"), "data", "nab"), "folder of the benchmark")
	out := flag.String("out", "benchmarks/out/nab.json", "file for the figures")
	quick := flag.Bool("quick", false, "the scores only: no single detectors, no neighbours")
	parts := flag.String("parts", strings.Join(partNames(), ","), "what is measured, of these")
	flag.Parse()
	if err := run(*data, *out, *quick, strings.Split(*parts, ","), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// partNames are what is measured, in this order.
func partNames() []string { return []string{"nab", "calibration", "long", "shop", "cost"} }

func run(data, out string, quick bool, parts []string, w io.Writer) error {
	r := &report{}
	measure := map[string]func() error{
		"nab": func() error {
			list, err := readCorpus(data)
			if err != nil {
				return err
			}
			return r.nab(w, list, quick)
		},
		"calibration": func() error { return r.calibration(w) },
		"long":        func() error { return r.long(w) },
		"shop":        func() error { return r.shop(w) },
		"cost":        func() error { return r.cost(w) },
	}
	for _, part := range parts {
		if measure[part] == nil {
			return fmt.Errorf("cannot measure %q: one of %s", part, strings.Join(partNames(), ", "))
		}
	}
	for _, part := range partNames() {
		if !slices.Contains(parts, part) {
			continue
		}
		if err := measure[part](); err != nil {
			return err
		}
	}
	if len(parts) < len(measure) {
		return nil // figures of a part are not those of the whole
	}
	return figures.Write(out, r)
}

// scores are those of the three profiles.
type scores struct {
	Standard float64 `json:"standard"`
	LowFP    float64 `json:"low_fp"`
	LowFN    float64 `json:"low_fn"`
}

func (s *scores) set(i int, v float64) { *[]*float64{&s.Standard, &s.LowFP, &s.LowFN}[i] = v }

// report is nab.json.
type report struct {
	Strict   scores `json:"strict"`
	Declared scores `json:"declared_range"`
	// StrictLeftOut and DeclaredLeftOut have the threshold of every category chosen
	// on the others.
	StrictLeftOut   scores `json:"strict_category_left_out"`
	DeclaredLeftOut scores `json:"declared_range_category_left_out"`
	// Variants hold the standard scores of single detectors and of neighbours.
	Variants map[string]float64 `json:"variants,omitempty"`
	// Calibration holds observed ÷ accepted false alarms, by rate and noise.
	Calibration map[string]map[string]float64 `json:"calibration"`
	// LongF1 is that of the long series by alarms at the default sensitivity,
	// LongBestF1 that of the score at LongThreshold, the best in hindsight.
	LongF1        float64 `json:"long_series_f1"`
	LongBestF1    float64 `json:"long_series_best_f1"`
	LongThreshold float64 `json:"long_series_best_threshold"`
	// Shop is what was found in the shop.
	Shop shopReport `json:"shop"`
	// NsPerPoint, AllocsPerPoint and StateBytes are those of the default ensemble.
	NsPerPoint     float64 `json:"ns_per_point"`
	AllocsPerPoint float64 `json:"allocs_per_point"`
	StateBytes     int     `json:"state_bytes"`
}

// nab scores the defaults, and what is near them.
func (r *report) nab(w io.Writer, list []*series, quick bool) error {
	t := table(w)
	fmt.Fprintf(t, "Numenta Anomaly Benchmark, %d files\tprofile\tscore\tcategory left out\tthreshold\tfalse rows\twindows found\t\n", len(list))
	var strict map[string][]float64
	for _, v := range []variant{{name: "strict"}, {name: "declared range", declared: true}} {
		got, err := v.run(list)
		if err != nil {
			return err
		}
		into, held := &r.Declared, &r.DeclaredLeftOut
		if !v.declared {
			into, held, strict = &r.Strict, &r.StrictLeftOut, got
		}
		for i, p := range profiles() {
			best := sweep(p, list, got).best()
			score, left := p.scale(best.sum, list), leftOut(p, list, got, (*series).category)
			into.set(i, score)
			held.set(i, left)
			fmt.Fprintf(t, "%s\t%s\t%.2f\t%.2f\t%.4f\t%d\t%d of %d\t\n", v.name, p.name, score, left, best.threshold, best.falseRows, best.found, count(list))
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	perFile(w, list, strict)
	if quick {
		return nil
	}
	return r.variants(w, list)
}

func count(list []*series) (windows int) {
	for _, s := range list {
		windows += s.windows
	}
	return windows
}

// perFile prints what the strict scores come to in every file.
func perFile(w io.Writer, list []*series, got map[string][]float64) {
	p := profiles()[0]
	threshold := sweep(p, list, got).best().threshold
	t := table(w)
	fmt.Fprintf(t, "\nstrict, by file at the threshold of all\tvalue\tfalse rows\twindows found\t\n")
	for _, s := range list {
		o := sweep(p, []*series{s}, got).at(threshold)
		fmt.Fprintf(t, "%s\t%.2f\t%d\t%d of %d\t\n", s.name, o.sum, o.falseRows, o.found, s.windows)
	}
	_ = t.Flush() // to a terminal or a pipe; nothing to do about it
}

func (r *report) variants(w io.Writer, list []*series) error {
	r.Variants = map[string]float64{}
	t := table(w)
	fmt.Fprintf(t, "\nstrict, other settings\tstandard\tlow FP\tlow FN\t\n")
	for _, group := range [][]variant{alone(), without(), neighbours()} {
		for _, v := range group {
			got, err := v.run(list)
			if err != nil {
				return err
			}
			fmt.Fprintf(t, "%s\t", v.name)
			for i, p := range profiles() {
				score := p.scale(sweep(p, list, got).best().sum, list)
				if i == 0 {
					r.Variants[v.name] = score
				}
				fmt.Fprintf(t, "%.2f\t", score)
			}
			fmt.Fprintln(t)
		}
	}
	return t.Flush()
}

func table(w io.Writer) *tabwriter.Writer {
	return tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight|tabwriter.Debug)
}
