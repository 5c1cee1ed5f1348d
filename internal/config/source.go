package config

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config/change"
	"github.com/flyball-io/flyball/internal/config/kind"
	"github.com/flyball-io/flyball/internal/config/spec"
	"github.com/flyball-io/flyball/internal/config/strictyaml"
)

// compiledSource is a source and where it is written.
type compiledSource struct {
	flyball.Source
	doc  *strictyaml.Document
	used bool
}

func (l *loading) compileSources() []flyball.Source {
	var out []flyball.Source
	topics := map[string]string{}
	for _, o := range l.sources {
		s := compileSource(o)
		checkTopics(o, topics)
		out = append(out, s)
		if l.sourceOf[s.Name] == nil {
			l.sourceOf[s.Name] = &compiledSource{Source: s, doc: o.Doc}
		}
	}
	return out
}

// checkTopics reports topics that cannot be, and those that another source
// reads: a record has one format.
func checkTopics(o *kind.Object[spec.Source], owner map[string]string) {
	o.NotEmpty("spec.topics", len(o.Spec.Topics), "a source reads at least one topic")
	for i, topic := range o.Spec.Topics {
		path := fmt.Sprintf("spec.topics[%d]", i)
		if !o.Doc.OK(path) {
			continue
		}
		first, taken := owner[topic]
		switch {
		case !topicForm.MatchString(topic) || topic == "." || topic == "..":
			o.Report(path, strictyaml.CodeInvalidValue, fmt.Sprintf("%q cannot be the name of a topic", topic),
				"a topic has up to 249 letters, digits, '.', '_' and '-'")
		case taken:
			o.Report(path, kind.CodeDuplicateItem, fmt.Sprintf("topic %q is already read", topic), "the first is in "+first)
		default:
			owner[topic] = o.Doc.Position(path)
		}
	}
}

// timestampFormats are those that are not Go layouts.
var timestampFormats = []string{"auto", "rfc3339", "unix_s", "unix_ms", "unix_us", "unix_ns"}

func compileSource(o *kind.Object[spec.Source]) flyball.Source {
	in := &o.Spec
	s := flyball.Source{Name: o.Metadata.Name, Topics: in.Topics, Format: in.Format, Encoding: in.Encoding,
		OutOfOrderness: in.OutOfOrderness.Std(), IdleTimeout: in.IdleTimeout.Std(),
		StallTimeout: in.StallTimeout.Std(), MaxDrift: in.MaxDrift.Std(), MaxAhead: in.MaxAhead.Std(), NoExamples: !in.Examples}
	if !o.Doc.OK("spec.format") {
		return s
	}
	f := formats[in.Format]
	switch {
	case in.Encoding != "" && len(f.encodings) > 0 && !slices.Contains(f.encodings, in.Encoding):
		o.Report("spec.encoding", kind.CodeNotForFormat, fmt.Sprintf("the format %s has no encoding %s", in.Format, in.Encoding),
			"want one of "+strings.Join(f.encodings, ", "))
	case len(f.encodings) > 0:
		s.Encoding = cmp.Or(in.Encoding, f.encodings[0])
	case in.Encoding != "":
		o.Report("spec.encoding", kind.CodeNotForFormat, fmt.Sprintf("the format %s has one encoding", in.Format), "delete the line")
	}
	switch {
	case !f.mapped && in.JSON != nil:
		o.Report("spec.json", kind.CodeNotForFormat, "json belongs to the format json, not to "+in.Format,
			"delete it: its samples have their labels and times by themselves")
	case f.mapped && in.JSON != nil:
		s.JSON = compileJSON(o)
	case f.mapped && !o.Doc.Has("spec.json"):
		o.Report("spec.json", strictyaml.CodeMissingField, `"json" is required by the format `+in.Format,
			"say where the timestamp, the labels and the values are")
	}
	compileRegistry(o, &f, &s)
	s.Changes = change.Compile(o)
	return s
}

func compileRegistry(o *kind.Object[spec.Source], f *format, s *flyball.Source) {
	in := o.Spec.Registry
	switch {
	case !f.registry && in != nil:
		o.Report("spec.registry", kind.CodeNotForFormat, "registry belongs to the format confluent, not to "+s.Format, "delete it")
	case f.registry && in == nil && !o.Doc.Has("spec.registry"):
		o.Report("spec.registry", strictyaml.CodeMissingField, `"registry" is required by the format `+s.Format, "say where the schemas are: registry: {url: https://…}")
	case f.registry && in != nil:
		s.Registry = flyball.SchemaRegistry{URL: in.URL, Username: in.Username, Password: string(in.Password)}
		u, err := url.Parse(in.URL)
		if at := "spec.registry.url"; o.Doc.Has(at) && o.Doc.OK(at) && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
			o.Report(at, strictyaml.CodeInvalidValue, "this is no address of a registry", "such as https://registry.example.com:8081")
		}
	}
}

func compileJSON(o *kind.Object[spec.Source]) flyball.JSONMapping {
	in := o.Spec.JSON
	m := flyball.JSONMapping{Timestamp: in.Timestamp, TimestampFormat: in.TimestampFormat, Labels: in.Labels}
	if len(in.Values) > 0 {
		m.Values = map[string]flyball.JSONValue{}
	}
	paths := map[string]string{"spec.json.timestamp": in.Timestamp}
	for name, path := range in.Labels {
		paths[strictyaml.Join("spec.json.labels", name)] = path
	}
	for name, v := range in.Values {
		m.Values[name] = flyball.JSONValue{Path: v.Path, Unit: v.Unit}
		at := strictyaml.Join("spec.json.values", name)
		paths[at+".path"] = v.Path
		if _, both := in.Labels[name]; both {
			o.Report(at, kind.CodeConflict, fmt.Sprintf("%q is mapped as a label and as a value", name), "give one of them another name")
		}
	}
	for _, at := range slices.Sorted(maps.Keys(paths)) {
		if paths[at] == "" && o.Doc.Has(at) && o.Doc.OK(at) {
			o.Report(at, strictyaml.CodeInvalidValue, "the path is empty", "")
		}
	}
	if at := "spec.json.timestampFormat"; o.Doc.OK(at) && !slices.Contains(timestampFormats, in.TimestampFormat) &&
		!strings.Contains(in.TimestampFormat, "06") {
		o.Report(at, strictyaml.CodeInvalidValue, fmt.Sprintf("unknown timestamp format %q", in.TimestampFormat),
			strictyaml.DidYouMean(in.TimestampFormat, timestampFormats)+" A Go layout such as 2006-01-02T15:04:05 is allowed too.")
	}
	return m
}
