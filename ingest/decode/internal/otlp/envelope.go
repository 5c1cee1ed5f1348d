package otlp

import (
	"github.com/flyball-io/flyball/ingest"
	"github.com/flyball-io/flyball/ingest/decode/internal/rows"
)

// Envelope reads what is around the samples of every signal in protobuf: a list of
// resources, each with a list of scopes, each with a list of items (TracesData,
// MetricsData and LogsData have the same numbers for them).
type Envelope struct {
	// Names of the messages, for people.
	Resource, Scope string
	// Item reads one span, metric or log record.
	Item func(m []byte, b *ingest.Builder)

	memo resourceMemo
	// scopes are where the scopes of the resource at hand are.
	scopes []extent
}

// extent is a part of a message.
type extent struct{ from, to int }

// Tags of what all signals share (opentelemetry/proto/{trace,metrics,logs}/v1,
// resource/v1, common/v1).
const (
	listTag = 1<<3 | WireBytes

	resourceTag = 1<<3 | WireBytes
	scopesTag   = 2<<3 | WireBytes

	scopeTag = 1<<3 | WireBytes
	itemsTag = 2<<3 | WireBytes

	resourceAttributesTag = 1<<3 | WireBytes

	scopeNameTag       = 1<<3 | WireBytes
	scopeVersionTag    = 2<<3 | WireBytes
	scopeAttributesTag = 3<<3 | WireBytes
)

// Decode reads a record. Void says that codes known so far are void.
func (e *Envelope) Decode(value []byte, r *Row, b *ingest.Builder, void bool) error {
	start := b.Len()
	if void {
		e.memo.forget()
	}
	for i := 0; i < len(value); {
		from, t := 0, uint64(0)
		if t, from, i = NextField(value, i); i < 0 {
			return rows.Malformed(b, start, "the fields of the request do not parse")
		}
		if t == listTag && !e.resource(value[from:i], r, b) {
			return rows.Malformed(b, start, "the fields of a "+e.Resource+" or "+e.Scope+" do not parse")
		}
	}
	return r.Err()
}

// resource reads one resource and what is under it. The resource may come after its
// scopes or in parts, so that they wait until all of it was seen.
func (e *Envelope) resource(m []byte, r *Row, b *ingest.Builder) bool {
	r.Enter(ResourceLevel)
	e.scopes = e.scopes[:0]
	whole := true // no part of the resource was seen yet
	for i := 0; i < len(m); {
		from, t := 0, uint64(0)
		if t, from, i = NextField(m, i); i < 0 {
			return false
		}
		switch t {
		case resourceTag:
			if !whole || !e.memo.recall(m[from:i], r) {
				if !resourceFields(m[from:i], r) {
					r.Broken[ResourceLevel] = true
				}
				if whole {
					e.memo.keep(m[from:i], r)
				}
			}
			whole = false
		case scopesTag:
			e.scopes = append(e.scopes, extent{from, i})
		}
	}
	for _, s := range e.scopes {
		if !e.scope(m[s.from:s.to], r, b) {
			return false
		}
	}
	return true
}

func resourceFields(m []byte, r *Row) bool {
	if r.Identify {
		r.AddIdentities(&r.identity[ResourceLevel], ResourceLevel, m, resourceAttributesTag)
	}
	for i := 0; i < len(m); {
		from, t := 0, uint64(0)
		if t, from, i = NextField(m, i); i < 0 {
			return false
		}
		if t == resourceAttributesTag {
			r.ReadAttribute(ResourceLevel, m[from:i])
		}
	}
	return true
}

// scope reads one scope and its items. They are read as they come, because exporters
// write the scope first; when some of it turns up after an item, it starts again.
func (e *Envelope) scope(m []byte, r *Row, b *ingest.Builder) bool {
	r.Enter(ScopeLevel)
	mark, items := r.Mark(b), false
	for i := 0; i < len(m); {
		from, t := 0, uint64(0)
		if t, from, i = NextField(m, i); i < 0 {
			return false
		}
		switch t {
		case itemsTag:
			items = true
			e.Item(m[from:i], b)
		case scopeTag:
			if items {
				r.TakeBack(b, mark)
				return e.scopeLast(m, r, b)
			}
			if !scopeFields(m[from:i], r) {
				r.Broken[ScopeLevel] = true
			}
		}
	}
	return true
}

// scopeLast reads one scope, all of it before any item.
func (e *Envelope) scopeLast(m []byte, r *Row, b *ingest.Builder) bool {
	r.Enter(ScopeLevel)
	for i := 0; i < len(m); {
		from, t := 0, uint64(0)
		if t, from, i = NextField(m, i); i < 0 {
			return false
		}
		if t == scopeTag && !scopeFields(m[from:i], r) {
			r.Broken[ScopeLevel] = true
		}
	}
	for i := 0; i < len(m); {
		t, from, to := NextField(m, i)
		if t == itemsTag {
			e.Item(m[from:to], b)
		}
		i = to
	}
	return true
}

func scopeFields(m []byte, r *Row) bool {
	if r.Identify {
		r.AddIdentities(&r.identity[ScopeLevel], ScopeLevel, m, scopeAttributesTag)
	}
	for i := 0; i < len(m); {
		from, t := 0, uint64(0)
		if t, from, i = NextField(m, i); i < 0 {
			return false
		}
		switch t {
		case scopeNameTag:
			r.setScope("scope.name", r.scopeName, m[from:i])
		case scopeVersionTag:
			r.setScope("scope.version", r.scopeVersion, m[from:i])
		case scopeAttributesTag:
			r.ReadAttribute(ScopeLevel, m[from:i])
		}
	}
	return true
}

// setScope sets the name or the version of a scope.
func (r *Row) setScope(name string, column int, text []byte) {
	r.SetField(ScopeLevel, column, text)
	if r.Identify {
		r.AddIdentity(&r.identity[ScopeLevel], ScopeLevel, []byte(name), &AnyValue{Kind: String, Bytes: text})
	}
}
