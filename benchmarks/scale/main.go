// Command scale prints what loads of up to ten million samples per second need, worked out
// from measured costs, what breaks first, and how far windows fall behind when members die.
//
// It prints tables in Markdown, those of docs/scaling.md, and writes
// benchmarks/out/scale.json.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/flyball-io/flyball/benchmarks/figures"
	"github.com/flyball-io/flyball/benchmarks/scale/model"
)

func main() {
	out := flag.String("out", "benchmarks/out/scale.json", "file for the figures")
	flag.Parse()
	plans := model.Ladder()
	fmt.Print(model.Tables(plans))
	if err := figures.Write(*out, plans); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
