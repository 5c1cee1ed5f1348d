package kafka

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/flyball-io/flyball"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Headers of an event. Attributes that an event does not have are not written.
const (
	HeaderSpecVersion   = "ce_specversion"
	HeaderID            = "ce_id"
	HeaderSource        = "ce_source"
	HeaderType          = "ce_type"
	HeaderSubject       = "ce_subject"
	HeaderTime          = "ce_time"
	HeaderCorrelationID = "ce_correlationid"
	HeaderCausationID   = "ce_causationid"
	HeaderExpiryTime    = "ce_expirytime"
	HeaderContentType   = "content-type"
)

const (
	specVersion = "1.0"
	contentType = "application/json"
)

// attributes are the attributes of an event; empty ones are left out.
type attributes struct {
	id, source, typ, subject   string
	time                       flyball.Time
	correlationID, causationID string
	expiry                     flyball.Time
}

// headers returns a as headers, always in the same order.
func (a attributes) headers() []kgo.RecordHeader {
	all := []kgo.RecordHeader{
		{Key: HeaderSpecVersion, Value: []byte(specVersion)},
		{Key: HeaderID, Value: []byte(a.id)},
		{Key: HeaderSource, Value: []byte(a.source)},
		{Key: HeaderType, Value: []byte(a.typ)},
		{Key: HeaderSubject, Value: []byte(a.subject)},
		{Key: HeaderTime, Value: timeText(a.time)},
		{Key: HeaderCorrelationID, Value: []byte(a.correlationID)},
		{Key: HeaderCausationID, Value: []byte(a.causationID)},
		{Key: HeaderExpiryTime, Value: timeText(a.expiry)},
		{Key: HeaderContentType, Value: []byte(contentType)},
	}
	out := all[:0]
	for _, h := range all {
		if len(h.Value) > 0 {
			out = append(out, h)
		}
	}
	return out
}

// Header returns the value of a record's header, "" if it has none and the last
// if it has several.
func Header(r *kgo.Record, key string) string {
	for _, h := range slices.Backward(r.Headers) {
		if h.Key == key {
			return string(h.Value)
		}
	}
	return ""
}

// timeText returns t in RFC 3339, nil for flyball.NoTime.
func timeText(t flyball.Time) []byte {
	if t == flyball.NoTime {
		return nil
	}
	return []byte(t.String())
}

// readAttributes reads the attributes of an event of one of the types, of which
// one may end in * for whatever begins so. Every
// attribute may appear once: with two, readers could disagree on which counts.
func readAttributes(headers []kgo.RecordHeader, types ...string) (attributes, error) {
	a := attributes{time: flyball.NoTime, expiry: flyball.NoTime}
	var version, content string
	texts := map[string]*string{
		HeaderSpecVersion: &version, HeaderContentType: &content,
		HeaderID: &a.id, HeaderSource: &a.source, HeaderType: &a.typ, HeaderSubject: &a.subject,
		HeaderCorrelationID: &a.correlationID, HeaderCausationID: &a.causationID,
	}
	times := map[string]*flyball.Time{HeaderTime: &a.time, HeaderExpiryTime: &a.expiry}
	seen := map[string]bool{}
	for _, h := range headers {
		text, isText := texts[h.Key]
		at, isTime := times[h.Key]
		if !isText && !isTime {
			continue
		}
		if seen[h.Key] {
			return a, fmt.Errorf("header %s appears twice", h.Key)
		}
		seen[h.Key] = true
		if isText {
			*text = string(h.Value)
		} else if err := at.UnmarshalJSON(quoted(h.Value)); err != nil {
			return a, fmt.Errorf("header %s: %w", h.Key, err)
		}
	}
	return a, a.check(version, content, types)
}

// check refuses attributes that no event of ours has.
func (a attributes) check(version, content string, types []string) error {
	media, _, _ := strings.Cut(content, ";")
	switch {
	case version != specVersion:
		return fmt.Errorf("header %s is %q, want %q", HeaderSpecVersion, version, specVersion)
	case a.id == "":
		return fmt.Errorf("header %s is missing", HeaderID)
	case !strings.EqualFold(strings.TrimSpace(media), contentType):
		return fmt.Errorf("header %s is %q, want %q", HeaderContentType, content, contentType)
	}
	for _, t := range types {
		if prefix, open := strings.CutSuffix(t, "*"); a.typ == t || open && strings.HasPrefix(a.typ, prefix) {
			return nil
		}
	}
	return fmt.Errorf("header %s is %q, want %s", HeaderType, a.typ, strings.Join(types, " or "))
}

// quoted returns text as a JSON string.
func quoted(text []byte) []byte {
	b, err := json.Marshal(string(text))
	if err != nil {
		panic("BUG: a string does not encode: " + err.Error())
	}
	return b
}

// encodeData returns v as JSON for people: without escapes for HTML, which would
// make every && of a condition unreadable.
func encodeData(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("BUG: an event does not encode: " + err.Error())
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}

// decodeData reads what encodeData writes. Fields that it does not know are
// skipped, so that old readers can read new events.
func decodeData(value []byte, v any) error {
	if len(value) == 0 {
		return fmt.Errorf("it has no data")
	}
	return json.Unmarshal(value, v)
}
