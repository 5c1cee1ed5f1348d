package shop

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// shape is what all spans of one operation and kind share, with its constant bytes ready in both
// encodings. A span on the wire is
//
//	ids · head · times · mid[outcome] · one attribute of its own · event[outcome] · foot[outcome]
type shape struct {
	id          int32 // dense over the shop
	name, route string
	kind        SpanKind
	failed      [outcomes]bool
	head        static           // name, kind
	mid         [outcomes]static // attributes
	hasEvent    [outcomes]bool
	event       static           // an exception event, but for its time
	foot        [outcomes]static // status, flags
	// The span's own attribute: url.path with a number between these, or thread.id when there is no
	// placeholder.
	hasPath       bool
	before, after string
	dynamic       static // up to the number, but for before in proto
	jsonAfter     []byte // what follows the number
}

// shapeSpec is a shape before it is encoded.
type shapeSpec struct {
	name, route, path string
	kind              SpanKind
	attrs             []attr
	ends              [outcomes]ending
}

// ending is what an outcome adds to a span.
type ending struct {
	attrs   []attr
	failed  bool
	message string
}

// shapeOf lists what the semantic conventions ask of a server or client span for a route of s.
func shapeOf(s Service, route string, server bool) shapeSpec {
	spec := shapeSpec{name: route, route: route, kind: KindClient}
	if server {
		spec.kind = KindServer
	}
	switch s.Protocol {
	case ProtocolHTTP:
		spec.http(s, server)
	case ProtocolGRPC:
		spec.grpc(s, server)
	case ProtocolKafka:
		spec.kafka(server)
	default:
		spec.database(s)
	}
	return spec
}

func (spec *shapeSpec) http(s Service, server bool) {
	method, path, _ := strings.Cut(spec.route, " ")
	spec.route, spec.path = path, path
	host, scheme, port := s.Name+".shop.svc.cluster.local", "http", int64(8080)
	if s.External {
		host, scheme, port = s.Name+".example.com", "https", 443
	}
	spec.attrs = []attr{
		{key: "http.request.method", str: method}, {key: "server.address", str: host}, {key: "server.port", num: port, isInt: true},
		{key: "network.protocol.version", str: "1.1"}, {key: "url.scheme", str: scheme},
	}
	if server {
		spec.attrs = append(spec.attrs, attr{key: "http.route", str: path}, attr{key: "client.address", str: "10.42.0.17"})
	} else {
		spec.attrs = append(spec.attrs, attr{key: "url.template", str: path})
	}
	if !strings.Contains(path, "{") {
		spec.attrs = append(spec.attrs, attr{key: "url.path", str: path})
	}
	ok := int64(200)
	if method == "POST" {
		ok = 201
	}
	for o, code := range [outcomes]int64{ok, 404, 500, 502, 504, 0} {
		end := &spec.ends[o]
		end.failed = code >= 500 || outcome(o) == outcomeClientTimeout || code >= 400 && !server
		kind := strconv.FormatInt(code, 10)
		if code != 0 {
			end.attrs = []attr{{key: "http.response.status_code", num: code, isInt: true}}
		} else {
			kind = "timeout"
		}
		if end.failed {
			end.attrs = append(end.attrs, attr{key: "error.type", str: kind})
		}
	}
	spec.ends[outcomeFailed].message = "cannot serve " + method + " " + path
}

func (spec *shapeSpec) grpc(s Service, server bool) {
	service, method, _ := strings.Cut(spec.route, "/")
	spec.attrs = []attr{
		{key: "rpc.system", str: "grpc"}, {key: "rpc.service", str: service}, {key: "rpc.method", str: method},
		{key: "server.address", str: s.Name + ".shop.svc.cluster.local"}, {key: "server.port", num: 9090, isInt: true},
		{key: "network.type", str: "ipv4"},
	}
	names := [outcomes]string{"OK", "NOT_FOUND", "INTERNAL", "UNAVAILABLE", "DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED"}
	for o, code := range [outcomes]int64{0, 5, 13, 14, 4, 4} {
		end := &spec.ends[o]
		end.failed = code != 0 && (code != 5 || !server)
		end.attrs = []attr{{key: "rpc.grpc.status_code", num: code, isInt: true}}
		if end.failed {
			end.attrs = append(end.attrs, attr{key: "error.type", str: names[o]})
		}
	}
	spec.ends[outcomeFailed].message = "internal error in " + method
}

func (spec *shapeSpec) kafka(consumer bool) {
	operation := "send"
	spec.kind = KindProducer
	if consumer {
		operation = "process"
		spec.kind = KindConsumer
	}
	spec.name = operation + " " + spec.route
	spec.attrs = []attr{
		{key: "messaging.system", str: "kafka"}, {key: "messaging.operation.name", str: operation}, {key: "messaging.operation.type", str: operation},
		{key: "messaging.destination.name", str: spec.route}, {key: "messaging.destination.partition.id", str: "0"},
		{key: "messaging.client.id", str: "shop"}, {key: "server.address", str: "kafka.shop.svc.cluster.local"},
	}
	spec.endsWithErrorType("DeliveryError")
}

func (spec *shapeSpec) database(s Service) {
	verb, collection, _ := strings.Cut(spec.route, " ")
	ports := map[string]int64{ProtocolPostgres: 5432, ProtocolRedis: 6379, ProtocolOpenSearch: 9200}
	spec.attrs = []attr{
		{key: "db.system.name", str: s.Protocol}, {key: "db.namespace", str: "shop"}, {key: "db.operation.name", str: verb},
		{key: "db.collection.name", str: collection}, {key: "db.query.summary", str: spec.route},
		{key: "server.address", str: s.Name + ".shop.svc.cluster.local"}, {key: "server.port", num: ports[s.Protocol], isInt: true},
	}
	spec.endsWithErrorType("server_error")
}

func (spec *shapeSpec) endsWithErrorType(kind string) {
	for o := outcomeNotFound; o < outcomes; o++ {
		name := kind
		if o == outcomeClientTimeout {
			name = "timeout"
		}
		spec.ends[o] = ending{failed: o != outcomeNotFound, attrs: []attr{{key: "error.type", str: name}}}
	}
	spec.ends[outcomeNotFound].attrs = nil
}

// newShape encodes a spec once.
func (p *plan) newShape(spec shapeSpec) *shape {
	sh := &shape{id: p.shapes, name: spec.name, route: spec.route, kind: spec.kind}
	p.shapes++
	sh.head = static{
		proto: append(protoString(nil, 5, spec.name), 6<<3, byte(spec.kind)),
		json:  fmt.Appendf(nil, `"name":%s,"kind":%d,"startTimeUnixNano":"`, quote(spec.name), spec.kind),
	}
	// Trace flags: sampled, and whether the parent is remote is known (bit 8) and so (bit 9).
	flags := uint32(0x101)
	if spec.kind == KindServer || spec.kind == KindConsumer {
		flags = 0x301
	}
	for o, end := range spec.ends {
		attrs := append(append([]attr(nil), spec.attrs...), end.attrs...)
		sh.mid[o] = static{proto: protoAttrs(9, attrs), json: append(jsonAttrs(attrs), ',')}
		sh.failed[o] = end.failed
		sh.hasEvent[o] = end.failed && end.message != "" && spec.kind == KindServer
		sh.foot[o] = foot(end, flags)
	}
	exception := []attr{{key: "exception.type", str: "ShopError"}, {key: "exception.message", str: spec.ends[outcomeFailed].message}}
	sh.event = static{
		proto: append(protoString(nil, 2, "exception"), protoAttrs(3, exception)...),
		json:  append(append([]byte(`","name":"exception","attributes":[`), jsonAttrs(exception)...), `]}]`...),
	}
	if open := strings.IndexByte(spec.path, '{'); open >= 0 {
		sh.hasPath = true
		sh.before, sh.after = spec.path[:open], spec.path[strings.IndexByte(spec.path, '}')+1:]
		sh.dynamic = static{proto: protoString(nil, 1, "url.path"), json: []byte(`{"key":"url.path","value":{"stringValue":`)}
		before, after := quote(sh.before), quote(sh.after)
		sh.dynamic.json = append(sh.dynamic.json, before[:len(before)-1]...)
		sh.jsonAfter = append(after[1:], `}}`...)
		return sh
	}
	sh.dynamic = static{proto: protoString(nil, 1, "thread.id"), json: []byte(`{"key":"thread.id","value":{"intValue":"`)}
	sh.jsonAfter = []byte(`"}}`)
	return sh
}

func foot(end ending, flags uint32) static {
	var status []byte
	out := static{json: []byte(`,"status":{`)}
	if end.failed {
		if end.message != "" {
			status = protoString(status, 2, end.message)
			out.json = fmt.Appendf(out.json, `"message":%s,`, quote(end.message))
		}
		status = append(status, 3<<3, 2)
		out.json = append(out.json, `"code":2`...)
	}
	out.proto = protoField(nil, 15, status)
	out.proto = binary.AppendUvarint(out.proto, 16<<3|5)
	out.proto = binary.LittleEndian.AppendUint32(out.proto, flags)
	out.json = fmt.Appendf(out.json, `},"flags":%d}`, flags)
	return out
}
