// Package marks is how watermark marks travel: as JSON in a header beside panes.
package marks

import (
	"encoding/json"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball/processors"
)

// Header carries watermark marks beside the panes of a record, as JSON.
const Header = "flyball-marks"

// Headers returns the headers of a record with these marks.
func Headers(list []processors.Mark) []kgo.RecordHeader {
	text, err := json.Marshal(list)
	if err != nil {
		panic("BUG: marks do not encode: " + err.Error())
	}
	return []kgo.RecordHeader{{Key: Header, Value: text}}
}

// Of returns the marks of a record.
func Of(r *kgo.Record) ([]processors.Mark, error) {
	for _, h := range r.Headers {
		if h.Key == Header {
			var list []processors.Mark
			if err := json.Unmarshal(h.Value, &list); err != nil {
				return nil, fmt.Errorf("cannot read watermark marks at offset %d: %w", r.Offset, err)
			}
			return list, nil
		}
	}
	return nil, nil
}
