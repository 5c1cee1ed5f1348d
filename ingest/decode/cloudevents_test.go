package decode

import (
	"encoding/json"
	"math"
	"testing"
	"unicode/utf8"

	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/google/go-cmp/cmp"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/ingest"
)

var (
	cloudEventsSource     = flyball.Source{Format: "cloudevents"}
	cloudEventsProjection = ingest.Projection{
		Labels: []string{"ce.type", "ce.subject", "cdevent.subject", "cdevent.predicate", "data.subject.id", "ce.partitionkey"},
		Values: []string{"data.size"},
	}
)

const (
	cdEventData = `{"context":{"version":"0.4.1","timestamp":"2026-03-01T12:34:57Z","type":"dev.cdevents.service.deployed.0.3.0"},"subject":{"id":"cart","content":{"environment":{"id":"prod"}}},"size":7}`
	cloudEvent  = `{"specversion":"1.0","id":"1","source":"/ci","type":"dev.cdevents.service.deployed.0.3.0","subject":"cart","time":"2026-03-01T12:34:56Z","partitionkey":"k","datacontenttype":"application/json","data":` + cdEventData + `}`
	plainEvent  = `{"specversion":"1.0","id":"2","source":"/x","type":"com.example.sale","time":"2026-03-01T12:34:56Z","data":{"size":"1.5"}}`
)

func TestCloudEventsConformance(t *testing.T) {
	checkDecoder(t, cloudEventsSource, cloudEventsProjection, [][]byte{[]byte(cloudEvent), []byte(plainEvent)}, [][]sample{
		{{At: epoch, Labels: []string{"dev.cdevents.service.deployed.0.3.0", "cart", "service", "deployed", "cart", "k"}, Values: []float64{7}}},
		{{At: epoch, Labels: []string{"com.example.sale", "", "", "", "", ""}, Values: []float64{1.5}}},
	})
}

// decodeRecord decodes a record with headers by a new decoder and by one that has
// decoded others.
func decodeRecord(t tester, headers map[string]string, value string) ([]sample, error) {
	t.Helper()
	var list []ingest.Header
	for key, v := range headers {
		list = append(list, ingest.Header{Key: key, Value: []byte(v)})
	}
	b := newBuilder(cloudEventsProjection)
	defer b.Release()
	d := newDecoder(t, cloudEventsSource, cloudEventsProjection).(ingest.RecordDecoder)
	var out []sample
	var first error
	for round := range 2 {
		err := d.DecodeRecord(list, []byte(value), b)
		checkContract(t, b.Len(), err)
		rows := take(b)
		if round == 1 {
			if diff := cmp.Diff(out, rows, sameSamples); diff != "" {
				t.Fatalf("a second time gives other rows:\n%s", diff)
			}
		}
		out, first = rows, err
		if err := d.Decode([]byte(cloudEvent), b); err != nil {
			t.Fatal(err)
		}
		take(b)
	}
	return out, first
}

func TestCloudEventsInBinaryMode(t *testing.T) {
	f := func(headers map[string]string, value string, want sample) {
		t.Helper()
		got, err := decodeRecord(t, headers, value)
		if diff := cmp.Diff([]sample{want}, got, sameSamples); diff != "" || err != nil {
			t.Errorf("%v: %v (−want +got):\n%s", headers, err, diff)
		}
	}
	base := func(change map[string]string) map[string]string {
		h := map[string]string{"ce_specversion": "1.0", "ce_id": "1", "ce_source": "/ci", "ce_type": "dev.cdeventsx.argo-rollout.finished.0.1.0",
			"ce_time": "2026-03-01T12:34:56Z", "ce_subject": "cart", "ce_partitionkey": "k", "content-type": "application/json", "traceparent": "x"}
		for key, v := range change {
			if h[key] = v; v == "" {
				delete(h, key)
			}
		}
		return h
	}
	row := func(kind, subject, predicate, id string, size float64) sample {
		return sample{At: epoch, Labels: []string{kind, "cart", subject, predicate, id, "k"}, Values: []float64{size}}
	}
	const custom = "dev.cdeventsx.argo-rollout.finished.0.1.0"
	f(base(nil), cdEventData, row(custom, "rollout", "finished", "cart", 7))
	f(base(nil), "", row(custom, "rollout", "finished", "", none))
	f(base(nil), "[1,2]", row(custom, "rollout", "finished", "", none))
	f(base(map[string]string{"content-type": "text/plain"}), "not JSON", row(custom, "rollout", "finished", "", none))
	f(base(map[string]string{"content-type": "", "ce_type": "a.b"}), `{"size":3}`, row("a.b", "", "", "", 3))
	late := row(custom, "rollout", "finished", "cart", 7)
	late.At += 1e9 // by the context of the CDEvent
	f(base(map[string]string{"ce_time": ""}), cdEventData, late)
	// The mode is told by the content type, in any case; a structured event has no
	// attributes in headers.
	f(map[string]string{"content-type": "Application/CloudEvents+json; charset=UTF-8", "ce_specversion": "1.0", "ce_type": "not this"}, cloudEvent,
		row("dev.cdevents.service.deployed.0.3.0", "service", "deployed", "cart", 7))
	f(nil, cloudEvent, row("dev.cdevents.service.deployed.0.3.0", "service", "deployed", "cart", 7))

	g := func(headers map[string]string, value, reason string) {
		t.Helper()
		got, err := decodeRecord(t, headers, value)
		if r, ok := ingest.Rejected(err); !ok || r.Reason != reason || len(got) > 0 {
			t.Errorf("%v: got %v, want %s", headers, err, reason)
		}
	}
	g(base(nil), "{", ingest.ReasonMalformed)
	g(base(nil), "{} {}", ingest.ReasonMalformed)
	g(base(map[string]string{"ce_time": ""}), "", ingest.ReasonNoTimestamp)
	g(base(map[string]string{"ce_time": "yesterday"}), "", ingest.ReasonNoTimestamp)
	g(base(map[string]string{"ce_type": "\xff"}), "", ingest.ReasonMalformed)
	g(base(nil), `{"size":"many"}`, ingest.ReasonBadValue)
	g(nil, "", ingest.ReasonMalformed)
}

// FuzzCloudEvents compares with the official SDK where that accepts a structured event,
// and the binary mode with the structured one.
func FuzzCloudEvents(f *testing.F) {
	f.Add([]byte(cloudEvent))
	f.Add([]byte(plainEvent))
	f.Fuzz(func(t *testing.T, record []byte) {
		got, err := decodeTwice(t, cloudEventsSource, cloudEventsProjection, record)
		decodeRecord(t, map[string]string{"ce_specversion": "1.0", "ce_time": "2026-03-01T12:34:56Z"}, string(record))
		var e event.Event
		if !plainJSON(record) || !utf8.Valid(record) || json.Unmarshal(record, &e) != nil || e.Validate() != nil || e.Time().IsZero() || err != nil {
			return
		}
		if y := e.Time().Year(); y < 1700 || y > 2250 {
			return
		}
		if len(got) != 1 || got[0].Labels[0] != e.Type() || got[0].Labels[1] != e.Subject() || got[0].At != e.Time().UnixNano() {
			t.Fatalf("got %v, want type %q, subject %q, time %v", got, e.Type(), e.Subject(), e.Time())
		}
	})
}

var (
	kubernetesSource     = flyball.Source{Format: "kubernetes_events"}
	kubernetesProjection = ingest.Projection{
		Labels: []string{"k8s.reason", "k8s.type", "k8s.kind", "k8s.namespace", "k8s.name", "k8s.workload", "k8s.component", "k8s.node", "metadata.uid"},
		Values: []string{"count"},
	}
)

const (
	coreEvent = `{"kind":"Event","apiVersion":"v1","metadata":{"name":"cart.17","namespace":"shop","uid":"u","creationTimestamp":"2026-03-01T12:00:00Z"},
 "involvedObject":{"kind":"Pod","namespace":"shop","name":"cart-7d9f8b6c5d-x2x4z","fieldPath":"spec.containers{cart}"},"reason":"BackOff",
 "message":"Back-off restarting failed container","source":{"component":"kubelet","host":"node-1"},"firstTimestamp":"2026-03-01T12:30:00Z",
 "lastTimestamp":"2026-03-01T12:34:56Z","count":12,"type":"Warning","eventTime":null,"reportingComponent":"","reportingInstance":""}`
	newEvent = `{"kind":"Event","apiVersion":"events.k8s.io/v1","metadata":{"namespace":"shop"},"eventTime":"2026-03-01T12:34:00.000000Z",
 "series":{"count":3,"lastObservedTime":"2026-03-01T12:34:56.000001Z"},"reportingController":"scheduler","reportingInstance":"s-1","action":"Binding",
 "reason":"FailedScheduling","regarding":{"kind":"Pod","namespace":"shop","name":"db-0"},"note":"0/3 nodes","type":"Warning"}`
)

func TestKubernetesEventsConformance(t *testing.T) {
	checkDecoder(t, kubernetesSource, kubernetesProjection, [][]byte{[]byte(coreEvent), []byte(newEvent)}, [][]sample{
		{{At: epoch, Labels: []string{"BackOff", "Warning", "Pod", "shop", "cart-7d9f8b6c5d-x2x4z", "cart", "kubelet", "node-1", "u"}, Values: []float64{12}}},
		{{At: epoch + 1000, Labels: []string{"FailedScheduling", "Warning", "Pod", "shop", "db-0", "db", "scheduler", "s-1", ""}, Values: []float64{none}}},
	})
}

func TestWorkloads(t *testing.T) {
	f := func(kind, name, want string) {
		t.Helper()
		if got := string(workload([]byte(kind), []byte(name))); got != want {
			t.Errorf("%s %s is of %q, want %q", kind, name, got, want)
		}
	}
	f("Pod", "cart-7d9f8b6c5d-x2x4z", "cart")
	f("Pod", "cart-api-67b8d9c7f-bcdfg", "cart-api")
	f("Pod", "node-exporter-bcdfg", "node-exporter") // of a DaemonSet
	f("Pod", "db-12", "db")
	f("Pod", "standalone", "standalone")
	f("Pod", "web-apple", "web-apple") // vowels are never drawn
	f("ReplicaSet", "cart-7d9f8b6c5d", "cart")
	f("Node", "node-bcdfg", "node-bcdfg")
	f("Pod", "", "")
}

// FuzzKubernetesEvents compares with encoding/json.
func FuzzKubernetesEvents(f *testing.F) {
	f.Add([]byte(coreEvent))
	f.Add([]byte(newEvent))
	f.Fuzz(func(t *testing.T, record []byte) {
		got, err := decodeTwice(t, kubernetesSource, kubernetesProjection, record)
		var tree map[string]any
		if !plainJSON(record) || json.Unmarshal(record, &tree) != nil || err != nil || len(got) != 1 {
			return
		}
		for i, path := range []string{"reason", "type"} {
			if text, ok := tree[path].(string); ok && got[0].Labels[i] != text {
				t.Fatalf("%s is %q, want %q", path, got[0].Labels[i], text)
			}
		}
		if n, ok := tree["count"].(float64); ok && !math.IsInf(n, 0) && got[0].Values[0] != n {
			t.Fatalf("count is %v, want %v", got[0].Values[0], n)
		}
	})
}
