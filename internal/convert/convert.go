// Package convert turns the documents of other tools into Flyball's kinds, as far
// as they say the same, and notes what they do not.
package convert

import (
	"fmt"
	"slices"
	"strings"
)

// Result is what a conversion came to.
type Result struct {
	// YAML holds the documents.
	YAML []byte
	// Notes say what a person has to look at.
	Notes []Note
}

// Note is something that does not translate, or was guessed.
type Note struct {
	// Line in the input, counted from 1; 0 is the whole of it.
	Line int
	// Text says what, and what to do.
	Text string
}

// Format is a kind of document that is read.
type Format struct {
	// Name as users write it, and what it is.
	Name, Title string
	convert     func(text []byte) (Result, error)
}

// Formats returns every format.
func Formats() []Format {
	return []Format{
		{"argo", "Argo Rollouts' AnalysisTemplates, and the steps of a Rollout", argo},
		{"kayenta", "canary configurations of Spinnaker's Kayenta", kayenta},
		{"openslo", "OpenSLO documents that count with Prometheus or the like", openslo},
		{"sloth", "Sloth's SLO specs (prometheus/v1, or the Kubernetes resource)", sloth},
	}
}

// Convert reads a document of a format.
func Convert(format string, text []byte) (Result, error) {
	i := slices.IndexFunc(Formats(), func(f Format) bool { return f.Name == format })
	if i < 0 {
		var names []string
		for _, f := range Formats() {
			names = append(names, f.Name)
		}
		return Result{}, fmt.Errorf("unknown format %q; one of %s", format, strings.Join(names, ", "))
	}
	r, err := Formats()[i].convert(text)
	if err != nil {
		return Result{}, fmt.Errorf("cannot convert from %s: %w", format, err)
	}
	return r, nil
}

// output gathers documents and notes.
type output struct {
	strings.Builder
	notes []Note
}

func (o *output) note(line int, format string, args ...any) {
	o.notes = append(o.notes, Note{line, fmt.Sprintf(format, args...)})
}

// document writes one document; lines are indented with two spaces.
func (o *output) document(lines ...string) {
	if o.Len() > 0 {
		o.WriteString("---\n")
	}
	for _, l := range lines {
		if l != "" {
			o.WriteString(l + "\n")
		}
	}
}

func (o *output) result() Result { return Result{[]byte(o.String()), o.notes} }

// source is where the indicators that a conversion makes count.
const source = "spans"

// begin writes the source of all indicators.
func (o *output) begin() {
	o.document("apiVersion: flyball.dev/v1", "kind: Source", "metadata: {name: "+source+"}",
		"spec: {topics: [otlp_spans], format: otlp_spans}")
	o.note(0, "requests are counted from OTLP spans on the topic otlp_spans: change the Source if they come from elsewhere; of the spans of a request, that of the server counts")
}

// indicator writes an indicator that counts what two queries count.
func (o *output) indicator(name string, c *counted) {
	lines := []string{"apiVersion: flyball.dev/v1", "kind: Indicator", "metadata: {name: " + quote(name) + "}", "spec:", "  source: " + source}
	list := func(key string, matchers []string) {
		if len(matchers) == 0 {
			return
		}
		lines = append(lines, "  "+key+":")
		for _, m := range matchers {
			lines = append(lines, "    - "+quote(m))
		}
	}
	list("filter", c.filter)
	list("bad", c.bad)
	o.document(lines...)
}

// quote writes a YAML scalar.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
