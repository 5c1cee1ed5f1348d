package telemetry

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"time"
)

// Metrics writes OTLP metrics in protobuf as a pod exports them: a record holds
// PointsPerRecord points of the gauge that is wanted, one for each route and status, and
// points of another metric that is not.
type Metrics struct {
	source
	resources [services][pods][]byte
	points    [routesPerService * len(statuses)]point
	scratch   []byte
	metric    []byte
}

// PointsPerRecord is how many points of the wanted metric are in a record, OtherPoints how
// many of the other.
const (
	PointsPerRecord = 80
	OtherPoints     = 20
)

var statuses = [...]int{200, 404, 503}

// point is the attributes of one, which never change.
type point struct {
	attributes []byte
	failed     bool
}

// NewMetrics returns a generator of that many wanted points per second of event time.
func NewMetrics(start time.Time, perSecond float64) *Metrics {
	m := &Metrics{source: newSource(start, perSecond, PointsPerRecord)}
	for s := range services {
		for p := range pods {
			var list []byte
			for _, kv := range [][2]string{
				{"service.name", service(s)}, {"service.version", "1.4.2"}, {"k8s.namespace.name", "shop"},
				{"k8s.pod.name", fmt.Sprintf("%s-6d5f9c7b8-%04d", service(s), p)}, {"telemetry.sdk.language", "go"},
			} {
				list = appendField(list, 1, attribute(kv[0], kv[1]))
			}
			m.resources[s][p] = list
		}
	}
	for i := range m.points {
		status := statuses[i%len(statuses)]
		var list []byte
		for _, kv := range [][2]string{
			{"http.request.method", "GET"}, {"http.route", route(i / len(statuses))},
			{"http.response.status_code", strconv.Itoa(status)}, {"url.scheme", "https"},
		} {
			list = appendField(list, 7, attribute(kv[0], kv[1]))
		}
		m.points[i] = point{list, status >= 500}
	}
	return m
}

// Append implements [Generator].
func (m *Metrics) Append(dst []byte) ([]byte, Content) {
	turn := m.next()
	c := Content{Samples: PointsPerRecord}
	var scope []byte
	scope = appendField(scope, 1, appendField(nil, 1, []byte("http.server"))) // scope
	scope = appendField(scope, 2, m.gauge("process.memory.usage", "By", OtherPoints, nil))
	scope = appendField(scope, 2, m.gauge("http.server.active_time", "ms", PointsPerRecord, &c))
	resource := appendField(nil, 1, m.resources[turn%services][turn/services%pods])
	resource = appendField(resource, 2, scope)
	return appendField(dst, 1, resource), c
}

// gauge encodes a Metric.
func (m *Metrics) gauge(name, unit string, n int, c *Content) []byte {
	points := m.scratch[:0]
	for i := range n {
		p := &m.points[i%len(m.points)]
		one := binary.LittleEndian.AppendUint64([]byte{3<<3 | 1}, uint64(m.at.UnixNano()+int64(i))) // time_unix_nano
		one = binary.LittleEndian.AppendUint64(append(one, 4<<3|1), math.Float64bits(float64(1+m.rng.IntN(1_000_000))/1000))
		points = appendField(points, 1, append(one, p.attributes...))
		if p.failed && c != nil {
			c.Failed++
		}
	}
	m.scratch = points
	metric := appendField(m.metric[:0], 1, []byte(name))
	metric = appendField(metric, 3, []byte(unit))
	m.metric = appendField(metric, 5, points)
	return m.metric
}

// attribute encodes a KeyValue with a text.
func attribute(key, value string) []byte {
	return appendField(appendField(nil, 1, []byte(key)), 2, appendField(nil, 1, []byte(value)))
}

// appendField appends a field of bytes.
func appendField(dst []byte, number int, value []byte) []byte {
	dst = append(dst, byte(number<<3|2))
	return append(binary.AppendUvarint(dst, uint64(len(value))), value...)
}
