package main

import (
	"encoding/xml"
	"io"
	"strings"
	"testing"

	"github.com/flyball-io/flyball/benchmarks/bench/telemetry"
)

// flush is after how many spans panes are flushed here.
const flush = 50_000

func TestEveryDimensionCanBeMeasured(t *testing.T) {
	for _, d := range dimensions {
		for _, x := range d.values[:1] {
			p, err := measure(d.of(x), 20_000, flush, flush)
			if err != nil {
				t.Fatalf("%s %v: %v", d.name, x, err)
			}
			if p.BytesPerSpan < 50 || p.PanesPerSpan <= 0 || p.PanesPerSpan > 1 {
				t.Errorf("%s %v: %+v", d.name, x, p)
			}
		}
	}
}

// TestPanesAreThoseOfTheSeries counts what is flushed: a pane for each series.
func TestPanesAreThoseOfTheSeries(t *testing.T) {
	p, err := measure(setting{telemetry.Shape{Series: 100}, 8}, 20_000, flush, flush)
	if want := 100. / flush; err != nil || p.PanesPerSpan != want {
		t.Errorf("%v panes per span, want %v; %v", p.PanesPerSpan, want, err)
	}
}

func TestPlotIsXML(t *testing.T) {
	plot := draw([]Curve{{Name: "a < b", Points: []Point{{X: 1, Nanos: 100}, {X: 10, Nanos: 200}}}})
	d := xml.NewDecoder(strings.NewReader(string(plot)))
	texts := 0
	for {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("%v in %s", err, plot)
		}
		if e, ok := token.(xml.StartElement); ok && e.Name.Local == "text" {
			texts++
		}
	}
	if texts < 8 || !strings.Contains(string(plot), "200 ns") {
		t.Errorf("got %s", plot)
	}
}

func TestScale(t *testing.T) {
	var table strings.Builder
	all, err := scale(&table, 20_000)
	if err != nil || all[0].Factor != 1 || all[0].SpansPerS <= 0 || !strings.Contains(table.String(), "cores") {
		t.Errorf("%+v, %v", all, err)
	}
}
