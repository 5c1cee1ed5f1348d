package shop

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// pod is one source of spans: a resource in OTLP's words.
type pod struct {
	id            int32 // dense over the shop
	service       *service
	version, name string
	rank          float64 // position among the pods of its version, in [0, 1)
	canary        uint8   // 1 for canary pods
	skew          int64
	resource      static // ResourceSpans.resource
	scope         static // ScopeSpans.scope
}

func (p *plan) addPods(rng *rand.Rand, c Config, s *service, spec Service, version string, n int) []*pod {
	if !s.exports {
		return nil
	}
	const letters = "bcdfghjklmnpqrstvwxz2456789" // the alphabet of Kubernetes' own suffixes
	suffix := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = letters[rng.IntN(len(letters))]
		}
		return string(b)
	}
	replicaSet := suffix(10)
	pods := make([]*pod, n)
	for i := range pods {
		out := &pod{id: p.pods, service: s, version: version, rank: float64(i) / float64(n)}
		out.name = fmt.Sprintf("%s-%s-%s", s.name, replicaSet, suffix(5))
		if c.SkewMax > 0 {
			out.skew = rng.Int64N(2*int64(c.SkewMax)+1) - int64(c.SkewMax)
		}
		attrs := []attr{
			{key: "service.name", str: s.name},
			{key: "service.namespace", str: "shop"},
			{key: "service.version", str: version},
			{key: "service.instance.id", str: uuid(rng)},
			{key: "deployment.environment.name", str: c.Environment},
			{key: "k8s.namespace.name", str: "shop"},
			{key: "k8s.deployment.name", str: s.name},
			{key: "k8s.pod.name", str: out.name},
			{key: "k8s.node.name", str: fmt.Sprintf("node-%d", 1+rng.IntN(6))},
			{key: "telemetry.sdk.name", str: "opentelemetry"},
			{key: "telemetry.sdk.language", str: spec.Language},
			{key: "telemetry.sdk.version", str: "1.38.0"},
		}
		out.resource = static{
			proto: protoField(nil, 1, protoAttrs(1, attrs)),
			json:  append(append([]byte(`"resource":{"attributes":[`), jsonAttrs(attrs)...), `]}`...),
		}
		out.scope = scopeOf(s.protocol)
		pods[i] = out
		p.pods++
	}
	return pods
}

func scopeOf(protocol string) static {
	name, version := "io.opentelemetry."+protocol, "0.63.0"
	return static{
		proto: protoField(nil, 1, protoString(protoString(nil, 1, name), 2, version)),
		json:  []byte(`"scope":{"name":"` + name + `","version":"` + version + `"}`),
	}
}

func uuid(rng *rand.Rand) string {
	hi, lo := rng.Uint64(), rng.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", hi>>32, hi>>16&0xffff, hi&0xfff, 0x8000|lo>>48&0x3fff, lo&0xffffffffffff)
}

func (p *plan) addCanary(rng *rand.Rand, c Config, specs []Service, canary Canary) error {
	for i, spec := range specs {
		if spec.Name != canary.Service {
			continue
		}
		s := p.services[i]
		switch {
		case !s.exports:
			return fmt.Errorf("cannot use canary of %q: it exports no spans", canary.Service)
		case len(s.canary) > 0:
			return fmt.Errorf("cannot use second canary of %q", canary.Service)
		case canary.Version == "" || len(canary.Version) > 40 || canary.Version == spec.Version:
			return fmt.Errorf("cannot use canary of %q: want a version of at most 40 bytes other than %q", canary.Service, spec.Version)
		case !(canary.Share > 0 && canary.Share < 1) || canary.From < 0:
			return fmt.Errorf("cannot use canary of %q: want a share in (0, 1) and a start >= 0", canary.Service)
		}
		n := max(1, int(math.Round(canary.Share*float64(spec.Pods))))
		s.canary = p.addPods(rng, c, s, spec, canary.Version, n)
		for _, pod := range s.canary {
			pod.canary = 1
		}
		s.canaryShare = canary.Share
		s.canaryFrom = c.Start.UnixNano() + int64(canary.From)
		return nil
	}
	return fmt.Errorf("cannot use canary of %q: no such service", canary.Service)
}
