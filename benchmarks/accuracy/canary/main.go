package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"

	"github.com/flyball-io/flyball/benchmarks/figures"
)

func main() {
	runs := flag.Int("runs", 2000, "runs of each row")
	only := flag.String("row", "", "run rows with this in their name only")
	flag.Uint64Var(&seed, "seed", seed, "seed of the simulation")
	out := flag.String("out", "benchmarks/out/canary.json", "file for the figures")
	flag.Parse()
	if err := run(*runs, *only, *out); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(runs int, only, out string) error {
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight|tabwriter.Debug)
	fmt.Fprintf(table, "%d runs, alpha 5 %%, seed %d\thistory\twant\tmet\tsequential\tmedian minute\tpassed by the end\tKayenta at the end\t\n", runs, seed)
	report := newReport(runs)
	for _, r := range rows() {
		if !strings.Contains(r.name, only) {
			continue
		}
		fmt.Fprintln(os.Stderr, "simulating", r.name)
		o := measure(r, runs)
		report.add(r, o)
		median := "–"
		if len(o.failedAt) > 0 {
			median = fmt.Sprint(o.failedAt[len(o.failedAt)/2])
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%.2f %%\t%s\t%.1f %%\t%.1f %%\t\n", r.title, r.history, r.want, r.met(o.found(runs)), 100*o.found(runs), median, 100*o.share(o.passed, runs), 100*o.share(o.kayenta, runs))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if only != "" {
		return nil
	}
	return figures.Write(out, report)
}

// met says whether a row is as it is wanted.
func (r row) met(found float64) string {
	var limit float64
	if _, err := fmt.Sscanf(strings.Trim(r.want, "≤≥ %"), "%g", &limit); err != nil {
		return ""
	}
	if strings.HasPrefix(r.want, "≤") == (100*found <= limit) || 100*found == limit {
		return "yes"
	}
	return "NO"
}

// outcome counts what the judges said in the runs of a row.
type outcome struct {
	failedAt []int // the minutes of the sequential judge's fails, ascending
	passed   int   // by the end, sequential
	kayenta  int   // fails at the end
}

func (o outcome) found(runs int) float64    { return o.share(len(o.failedAt), runs) }
func (o outcome) share(n, runs int) float64 { return float64(n) / float64(runs) }

// measure runs a row. Every run has a seed of its own, so that the figures do not
// depend on how runs are spread over processors.
func measure(r row, runs int) outcome {
	var total outcome
	var mu sync.Mutex
	var wait sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		wait.Go(func() {
			var o outcome
			for i := w; i < runs; i += workers {
				o.add(r, uint64(i))
			}
			mu.Lock()
			defer mu.Unlock()
			total.failedAt = append(total.failedAt, o.failedAt...)
			total.passed += o.passed
			total.kayenta += o.kayenta
		})
	}
	wait.Wait()
	slices.Sort(total.failedAt)
	return total
}

// report is canary.json.
type report struct {
	Runs    int                `json:"runs"`
	Seed    uint64             `json:"seed"`
	AA      map[string]float64 `json:"aa"`
	Figures map[string]float64 `json:"-"`
	// More holds rows beyond those that are gated.
	More map[string]float64 `json:"more"`
	// Kayenta holds the share of fails of Kayenta's judge in every row, and Minutes
	// the median minute of the sequential judge's fails.
	Kayenta map[string]float64 `json:"kayenta"`
	Minutes map[string]int     `json:"median_minute"`
}

func newReport(runs int) *report {
	return &report{
		Runs: runs, Seed: seed, AA: map[string]float64{}, Figures: map[string]float64{},
		More: map[string]float64{}, Kayenta: map[string]float64{}, Minutes: map[string]int{},
	}
}

func (r *report) add(w row, o outcome) {
	into := map[group]map[string]float64{same: r.AA, regression: r.Figures, more: r.More}[w.group]
	into[w.name] = o.found(r.Runs)
	r.Kayenta[w.name] = o.share(o.kayenta, r.Runs)
	if len(o.failedAt) > 0 {
		r.Minutes[w.name] = o.failedAt[len(o.failedAt)/2]
	}
}

// MarshalJSON puts the figures of regressions at the top, where others read them.
func (r *report) MarshalJSON() ([]byte, error) {
	type plain report
	text, err := json.Marshal((*plain)(r))
	if err != nil {
		return nil, err
	}
	all := map[string]any{}
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, err
	}
	for name, v := range r.Figures {
		all[name] = v
	}
	return json.Marshal(all)
}
