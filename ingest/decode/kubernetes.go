package decode

import (
	"bytes"

	"github.com/flyball-io/flyball/ingest"
)

// KubernetesEvents decodes Events of Kubernetes as JSON, core/v1 and events.k8s.io/v1:
// one object per record, an array of them, or several one after another. One is one
// sample.
//
// The event time is when it was seen last. The labels "k8s.reason", "k8s.type" (Normal,
// Warning), "k8s.kind", "k8s.namespace", "k8s.name" (of what it is about),
// "k8s.component", "k8s.node" and "k8s.message" are in the same place whatever the
// version; "k8s.workload" is the name without what a ReplicaSet, a Job or a CronJob
// appends. Any other label or number is what is at that path.
type KubernetesEvents struct{ *document }

// kubernetesEvents is the schema of both versions.
var kubernetesEvents = schema{
	times: []string{"series.lastObservedTime", "lastTimestamp", "deprecatedLastTimestamp", "eventTime",
		"firstTimestamp", "deprecatedFirstTimestamp", "metadata.creationTimestamp"},
	labels: map[string][]string{
		"k8s.reason":    {"reason"},
		"k8s.type":      {"type"},
		"k8s.kind":      kubernetesKind,
		"k8s.name":      kubernetesName,
		"k8s.namespace": {"involvedObject.namespace", "regarding.namespace", "metadata.namespace"},
		"k8s.component": {"reportingComponent", "reportingController", "source.component", "deprecatedSource.component"},
		"k8s.node":      {"source.host", "deprecatedSource.host", "reportingInstance"},
		"k8s.message":   {"message", "note"},
	},
	place: func(name string) string { return name },
	texts: [][]string{kubernetesKind, kubernetesName},
	derived: map[string]func([][]byte) []byte{
		"k8s.workload": func(texts [][]byte) []byte { return workload(texts[0], texts[1]) },
	},
}

var (
	kubernetesKind = []string{"involvedObject.kind", "regarding.kind"}
	kubernetesName = []string{"involvedObject.name", "regarding.name"}
)

// NewKubernetesEvents returns a decoder that keeps the columns of p.
func NewKubernetesEvents(p ingest.Projection) (*KubernetesEvents, error) {
	d, err := newDocument(&kubernetesEvents, p)
	if err != nil {
		return nil, err
	}
	return &KubernetesEvents{d}, nil
}

// workload returns the name of what made an object. A pod of a Deployment is
// name-hash-suffix, one of a DaemonSet or Job name-suffix, one of a StatefulSet
// name-ordinal; a ReplicaSet is name-hash. The suffixes that Kubernetes draws have no
// vowels (apimachinery/pkg/util/rand).
func workload(kind, name []byte) []byte {
	switch string(kind) {
	case "Pod":
		if base, ok := cutDrawn(name, 5, 5); ok {
			if deployment, ok := cutDrawn(base, 8, 10); ok {
				return deployment
			}
			return base
		}
		if at := bytes.LastIndexByte(name, '-'); at > 0 && digits(name[at+1:]) {
			return name[:at]
		}
	case "ReplicaSet":
		if base, ok := cutDrawn(name, 8, 10); ok {
			return base
		}
	}
	return name
}

// cutDrawn cuts a suffix of so many drawn characters and the hyphen before it.
func cutDrawn(name []byte, shortest, longest int) ([]byte, bool) {
	at := bytes.LastIndexByte(name, '-')
	if at <= 0 || len(name)-at-1 < shortest || len(name)-at-1 > longest {
		return name, false
	}
	for _, c := range name[at+1:] {
		if bytes.IndexByte([]byte("bcdfghjklmnpqrstvwxz2456789"), c) < 0 {
			return name, false
		}
	}
	return name[:at], true
}

func digits(s []byte) bool {
	for _, c := range s {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(s) > 0
}
