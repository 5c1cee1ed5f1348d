package decode

import (
	"bytes"
	"strings"

	"github.com/go-faster/jx"

	"github.com/flyball-io/flyball/ingest"
	"github.com/flyball-io/flyball/ingest/decode/internal/rows"
)

// CloudEvents decodes CloudEvents 1.0 as Kafka carries them (kafka-protocol-binding.md):
// structured, the whole event as JSON in the value, or binary, its attributes in headers
// ce_… and its data in the value. One event is one sample.
//
// The event time is the attribute time, or that in the context of a CDEvent. The label
// "ce.x" is the attribute x, "data.x.y" what is at that path in JSON data, and the value
// "data.x.y" the number there. "cdevent.subject" and "cdevent.predicate" are the parts
// of a CDEvent's type: dev.cdevents.service.deployed.0.3.0 has "service" and "deployed".
type CloudEvents struct {
	document
	data       *pathNode // of the data in the binary mode
	attributes pathNode  // of the headers: their names are keys
}

// cloudEvents is the schema of structured events.
var cloudEvents = schema{
	times: []string{"time", "data.context.timestamp"},
	place: func(name string) string {
		if attribute, ok := strings.CutPrefix(name, "ce."); ok {
			return attribute
		}
		if strings.HasPrefix(name, "data.") {
			return name
		}
		return ""
	},
	texts: [][]string{{"type", "data.context.type"}},
	derived: map[string]func([][]byte) []byte{
		"cdevent.subject":   func(texts [][]byte) []byte { subject, _ := cdEvent(texts[0]); return subject },
		"cdevent.predicate": func(texts [][]byte) []byte { _, predicate := cdEvent(texts[0]); return predicate },
	},
}

// cdEvent returns the parts of a CDEvent's type: dev.cdevents.<subject>.<predicate>.<version>,
// or dev.cdeventsx.<tool>-<subject>.<predicate>.<version>.
func cdEvent(of []byte) (subject, predicate []byte) {
	rest, ok := bytes.CutPrefix(of, []byte("dev.cdevents."))
	if !ok {
		if rest, ok = bytes.CutPrefix(of, []byte("dev.cdeventsx.")); !ok {
			return nil, nil
		}
		if at := bytes.IndexByte(rest, '-'); at >= 0 {
			rest = rest[at+1:]
		}
	}
	subject, rest, _ = bytes.Cut(rest, []byte("."))
	predicate, _, _ = bytes.Cut(rest, []byte("."))
	return subject, predicate
}

// NewCloudEvents returns a decoder that keeps the columns of p.
func NewCloudEvents(p ingest.Projection) (*CloudEvents, error) {
	doc, err := newDocument(&cloudEvents, p)
	if err != nil {
		return nil, err
	}
	d := &CloudEvents{document: *doc, data: &pathNode{}}
	d.finish = d.derive
	d.attributes = *d.root
	if at := d.root.keys.Find([]byte("data")); at >= 0 && d.root.steps[at].child != nil {
		d.data = d.root.steps[at].child
	}
	return d, nil
}

// DecodeRecord implements [ingest.RecordDecoder].
func (d *CloudEvents) DecodeRecord(headers []ingest.Header, value []byte, b *ingest.Builder) error {
	binary, isJSON := false, true
	for _, h := range headers {
		switch h.Key {
		case "ce_specversion":
			binary = true
		case "content-type":
			kind := strings.ToLower(rows.Text(h.Value))
			if strings.HasPrefix(kind, "application/cloudevents") {
				return d.Decode(value, b)
			}
			isJSON = strings.Contains(kind, "json")
		}
	}
	if !binary {
		return d.Decode(value, b)
	}
	start := b.Len()
	d.rows.Begin(b)
	d.begin()
	for _, h := range headers {
		if name, ok := strings.CutPrefix(h.Key, "ce_"); ok {
			d.header(name, h.Value)
		}
	}
	if isJSON && len(value) > 0 {
		d.dec.ResetBytes(value)
		defer d.dec.ResetBytes(nil)
		if err := d.whole(); err != nil {
			return rows.Malformed(b, start, "the data is not JSON: "+err.Error())
		}
	}
	d.end(b)
	return d.rows.Err()
}

// header takes an attribute.
func (d *CloudEvents) header(name string, value []byte) {
	if n := d.attributes.keys.Find([]byte(name)); n >= 0 {
		fields := d.attributes.steps[n].fields
		for i := range fields {
			d.field(&fields[i], jx.String, value)
		}
	}
}

// whole reads the data, of which only an object has fields.
func (d *CloudEvents) whole() error {
	var err error
	if d.dec.Next() == jx.Object {
		err = d.object(d.data)
	} else {
		err = d.dec.Skip()
	}
	if err == nil && d.dec.Next() != jx.Invalid {
		err = errMore
	}
	return err
}
