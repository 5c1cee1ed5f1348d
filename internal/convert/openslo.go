package convert

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"go.yaml.in/yaml/v4"
)

// openslo keeps documents as they are, comments too, and replaces where they count:
// every SLI gets an indicator.
func openslo(text []byte) (Result, error) {
	o := &output{}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var kept []*yaml.Node
	for {
		var doc yaml.Node
		if err := decoder.Decode(&doc); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return Result{}, err
		}
		if len(doc.Content) == 0 {
			continue
		}
		root := doc.Content[0]
		keep, err := o.object(root)
		if err != nil {
			return Result{}, err
		}
		if keep {
			kept = append(kept, root)
		}
	}
	if len(kept) == 0 {
		return Result{}, errors.New("there is no document of apiVersion openslo/v1")
	}
	for _, root := range kept {
		var b bytes.Buffer
		e := yaml.NewEncoder(&b)
		e.SetIndent(2)
		if err := e.Encode(root); err != nil {
			return Result{}, err
		}
		o.document(string(bytes.TrimRight(b.Bytes(), "\n")))
	}
	return o.result(), nil
}

// object changes one document, and says whether it is kept.
func (o *output) object(root *yaml.Node) (bool, error) {
	version, kind := field(root, "apiVersion"), field(root, "kind")
	if version == nil || kind == nil {
		return false, fmt.Errorf("line %d: want apiVersion and kind", root.Line)
	}
	switch version.Value {
	case "openslo/v1":
	case "openslo.com/v2alpha":
		version.Value = "openslo/v1"
	default:
		return false, fmt.Errorf("line %d: want apiVersion openslo/v1 or openslo.com/v2alpha, got %q", version.Line, version.Value)
	}
	spec := field(root, "spec")
	switch kind.Value {
	case "DataSource":
		o.note(root.Line, "the DataSource is left out: Flyball counts from Kafka")
		return false, nil
	case "SLI":
		o.sli(nameOf(root), spec)
	case "SLO":
		rename(spec, "sli", "indicator")
		rename(spec, "sliRef", "indicatorRef")
		if inline := field(spec, "indicator"); inline != nil {
			name := nameOf(root)
			if own := nameOf(inline); own != "" {
				name = own
			}
			o.sli(name, field(inline, "spec"))
		}
	}
	return true, nil
}

// sli gives an SLI an indicator, and has it count there.
func (o *output) sli(name string, spec *yaml.Node) {
	if ratio := field(spec, "ratioMetric"); ratio != nil {
		total, good, bad := field(ratio, "total"), field(ratio, "good"), field(ratio, "bad")
		if total == nil {
			o.note(ratio.Line, "SLI %s has no total: raw ratios cannot be counted; give it total and bad", name)
			return
		}
		q := queries{line: ratio.Line, total: query(total), good: query(good), bad: query(bad)}
		if q.good != "" && q.bad != "" {
			q.good = ""
		}
		o.start()
		o.indicator(name, o.count(q))
		for _, metric := range []*yaml.Node{total, good, bad} {
			o.replace(metric, name)
		}
		return
	}
	if threshold := field(spec, "thresholdMetric"); threshold != nil {
		o.note(threshold.Line, "SLI %s compares a value that was computed elsewhere: say in the filter of its indicator which spans it is about", name)
		o.start()
		o.indicator(name, &counted{filter: []string{server}})
		o.replace(threshold, name)
	}
}

// start writes the source before the first indicator.
func (o *output) start() {
	if o.Len() == 0 {
		o.begin()
	}
}

// replace has a metric count by an indicator.
func (o *output) replace(metric *yaml.Node, name string) {
	at := field(metric, "metricSource")
	if at == nil {
		return
	}
	var is yaml.Node
	if err := is.Encode(map[string]any{"type": "flyball", "spec": map[string]string{"indicator": name}}); err != nil {
		panic("BUG: " + err.Error())
	}
	*at = is
}

// query returns the text that a metric counts by.
func query(metric *yaml.Node) string {
	spec := field(field(metric, "metricSource"), "spec")
	if text := field(spec, "query"); text != nil {
		return text.Value
	}
	var all string
	if spec != nil {
		for i := 1; i < len(spec.Content); i += 2 {
			all += spec.Content[i].Value + " "
		}
	}
	return all
}

func nameOf(object *yaml.Node) string {
	if name := field(field(object, "metadata"), "name"); name != nil {
		return name.Value
	}
	return ""
}

// field returns the value of a key, nil when there is none.
func field(n *yaml.Node, key string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

func rename(n *yaml.Node, from, to string) {
	if n == nil || n.Kind != yaml.MappingNode {
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == from {
			n.Content[i].Value = to
		}
	}
}
