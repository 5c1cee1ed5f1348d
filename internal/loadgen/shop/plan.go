package shop

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"
)

// plan is the call graph with every name resolved and every constant part of a span encoded.
type plan struct {
	services []*service
	entries  []entry
	// spansPerTrace is the expected number of spans of one user request.
	spansPerTrace float64
	shapes, pods  int32
}

type entry struct {
	upTo  float64 // cumulative weight, the last one is 1
	route *route
}

type service struct {
	name, protocol string
	exports        bool // has pods that export spans
	stable, canary []*pod
	canaryShare    float64
	canaryFrom     int64
	routes         []*route
	incidents      []*incident
}

type route struct {
	service                 *service
	name                    string
	mu, sigma               float64 // of ln(nanoseconds)
	errorRate, notFoundRate float64
	calls                   []edge
	server                  *shape  // nil when the service exports nothing
	spans                   float64 // expected of one request, this one's calls included
	typical                 float64 // nanoseconds of one request, its calls included
	color                   uint8
}

type edge struct {
	client                    *shape
	callee                    *route
	share                     float64
	optional, parallel, async bool
	timeout                   int64
}

type incident struct {
	Incident
	route      *route // nil is all
	start, end int64
}

func (in *incident) hits(r *route, version string, at int64) bool {
	return at >= in.start && at < in.end && (in.route == nil || in.route == r) && (in.Version == "" || in.Version == version)
}

func compile(c Config) (*plan, error) {
	p := &plan{}
	names := c.Services
	if names == nil {
		names = DefaultServices()
	}
	for _, s := range names {
		if err := p.addService(s); err != nil {
			return nil, err
		}
	}
	for i, s := range names {
		if err := p.connect(p.services[i], s); err != nil {
			return nil, err
		}
	}
	if err := p.addEntries(names); err != nil {
		return nil, err
	}
	// Pods draw from a stream of their own, so that a change of the schedule renames nothing.
	rng := rand.New(rand.NewPCG(c.Seed, 2))
	for i, s := range names {
		p.services[i].stable = p.addPods(rng, c, p.services[i], s, s.Version, s.Pods)
	}
	for _, canary := range c.Canaries {
		if err := p.addCanary(rng, c, names, canary); err != nil {
			return nil, err
		}
	}
	for _, in := range c.Incidents {
		if err := p.addIncident(c.Start.UnixNano(), in); err != nil {
			return nil, fmt.Errorf("cannot use incident %q: %w", in, err)
		}
	}
	return p, nil
}

func (p *plan) service(name string) *service {
	for _, s := range p.services {
		if s.name == name {
			return s
		}
	}
	return nil
}

func (s *service) route(name string) *route {
	for _, r := range s.routes {
		if r.name == name {
			return r
		}
	}
	return nil
}

func (p *plan) addService(s Service) error {
	switch s.Protocol {
	case ProtocolHTTP, ProtocolGRPC, ProtocolKafka, ProtocolPostgres, ProtocolRedis, ProtocolOpenSearch:
	default:
		return fmt.Errorf("cannot use service %q: unknown protocol %q", s.Name, s.Protocol)
	}
	isDatabase := s.Protocol == ProtocolPostgres || s.Protocol == ProtocolRedis || s.Protocol == ProtocolOpenSearch
	if s.External && s.Protocol != ProtocolHTTP {
		return fmt.Errorf("cannot use service %q: an external service must be %s", s.Name, ProtocolHTTP)
	}
	if s.Name == "" || len(s.Name) > 40 || len(s.Version) > 40 || p.service(s.Name) != nil || len(s.Routes) == 0 {
		return fmt.Errorf("cannot use service %q: want a unique name, name and version of at most 40 bytes, and a route", s.Name)
	}
	out := &service{name: s.Name, protocol: s.Protocol, exports: !isDatabase && !s.External}
	if out.exports && (s.Pods < 1 || s.Pods > 1000 || s.Version == "") {
		return fmt.Errorf("cannot use service %q: want a version and 1 to 1,000 pods", s.Name)
	}
	for _, r := range s.Routes {
		if out.route(r.Name) != nil || !validRouteName(s.Protocol, r.Name) {
			return fmt.Errorf("cannot use route %q of service %q: not unique or not in the form of protocol %s", r.Name, s.Name, s.Protocol)
		}
		if r.Self.Median <= 0 || !(r.Self.Sigma >= 0 && r.Self.Sigma <= 3) || !(r.ErrorRate >= 0 && r.NotFoundRate >= 0 && r.ErrorRate+r.NotFoundRate <= 1) || !(r.Weight >= 0) {
			return fmt.Errorf("cannot use route %q of service %q: want median > 0, sigma in [0, 3], weight >= 0 and rates in [0, 1]", r.Name, s.Name)
		}
		cr := &route{
			service: out, name: r.Name, mu: math.Log(float64(r.Self.Median)), sigma: r.Self.Sigma,
			errorRate: r.ErrorRate, notFoundRate: r.NotFoundRate,
		}
		if out.exports {
			cr.server = p.newShape(shapeOf(s, r.Name, true))
		}
		out.routes = append(out.routes, cr)
	}
	p.services = append(p.services, out)
	return nil
}

// validRouteName also bounds the length to what fits one-byte length prefixes in a span.
func validRouteName(protocol, name string) bool {
	if name == "" || len(name) > 60 {
		return false
	}
	first, rest, spaced := strings.Cut(name, " ")
	switch protocol {
	case ProtocolHTTP:
		return spaced && first != "" && strings.HasPrefix(rest, "/") && strings.Count(rest, "{") <= 1 && strings.Count(rest, "{") == strings.Count(rest, "}")
	case ProtocolGRPC:
		return !spaced && strings.Count(name, "/") == 1
	case ProtocolKafka:
		return !spaced
	}
	return spaced && first != "" && rest != ""
}

func (p *plan) connect(from *service, s Service) error {
	for i, r := range s.Routes {
		for _, c := range r.Calls {
			fail := func(why string) error {
				return fmt.Errorf("cannot use call from %q of %q to %q of %q: %s", r.Name, s.Name, c.Route, c.Service, why)
			}
			to := p.service(c.Service)
			if to == nil || to.route(c.Route) == nil {
				return fail("no such route")
			}
			if !from.exports {
				return fail("a service without spans makes no calls")
			}
			if !(c.Share >= 0 && c.Share <= 1) || c.Timeout < 0 {
				return fail("want share in [0, 1] and timeout >= 0")
			}
			e := edge{
				callee: to.route(c.Route), share: c.Share, optional: c.Optional, parallel: c.Parallel,
				async: to.protocol == ProtocolKafka, timeout: int64(c.Timeout),
			}
			if e.share == 0 {
				e.share = 1
			}
			if e.timeout == 0 {
				e.timeout = int64(3 * time.Second)
			}
			callee := Service{Name: to.name, Protocol: to.protocol, External: !to.exports && to.protocol == ProtocolHTTP}
			e.client = p.newShape(shapeOf(callee, c.Route, false))
			from.routes[i].calls = append(from.routes[i].calls, e)
		}
	}
	return nil
}

func (p *plan) addEntries(services []Service) error {
	total := 0.0
	for i, s := range services {
		for j, r := range s.Routes {
			if err := p.services[i].routes[j].count(); err != nil {
				return err
			}
			if r.Weight > 0 {
				if !p.services[i].exports {
					return fmt.Errorf("cannot enter the shop at %q of %q: it exports no spans", r.Name, s.Name)
				}
				total += r.Weight
				p.entries = append(p.entries, entry{upTo: total, route: p.services[i].routes[j]})
			}
		}
	}
	if total == 0 || math.IsInf(total, 0) {
		return fmt.Errorf("cannot enter the shop: no route has a usable weight")
	}
	below := 0.0
	for i := range p.entries {
		p.entries[i].upTo /= total
		p.spansPerTrace += (p.entries[i].upTo - below) * p.entries[i].route.spans
		below = p.entries[i].upTo
	}
	return nil
}

// count fills in the expected number of spans and time of one request, and finds cycles.
func (r *route) count() error {
	const grey, black = 1, 2
	switch r.color {
	case black:
		return nil
	case grey:
		return fmt.Errorf("cannot use call graph: %q of %q calls itself in a circle", r.name, r.service.name)
	}
	r.color = grey
	if r.server != nil {
		r.spans = 1
	}
	r.typical = math.Exp(r.mu)
	group := 0.0 // the time of calls that run together
	for _, e := range r.calls {
		if err := e.callee.count(); err != nil {
			return err
		}
		r.spans += e.share * (1 + e.callee.spans)
		takes := 2 * math.Exp(networkMu)
		if !e.async {
			takes += e.callee.typical
		}
		if !e.parallel {
			r.typical += group
			group = 0
		}
		group = max(group, e.share*takes)
	}
	r.typical += group
	r.color = black
	return nil
}

func (p *plan) addIncident(start int64, in Incident) error {
	in = in.withDefaults()
	if err := in.Validate(); err != nil {
		return err
	}
	s := p.service(in.Service)
	if s == nil {
		return fmt.Errorf("no service %q", in.Service)
	}
	if in.Kind == Silence && !s.exports {
		return fmt.Errorf("service %q exports no spans that could stop", in.Service)
	}
	out := &incident{Incident: in, start: start + int64(in.Start), end: start + int64(in.Start) + int64(in.Duration)}
	if in.Route != "" {
		if out.route = s.route(in.Route); out.route == nil {
			return fmt.Errorf("service %q has no route %q", in.Service, in.Route)
		}
	}
	if in.Version != "" && !s.hasVersion(in.Version) {
		return fmt.Errorf("service %q has no version %q", in.Service, in.Version)
	}
	s.incidents = append(s.incidents, out)
	return nil
}

func (s *service) hasVersion(version string) bool {
	return s.exports && (s.stable[0].version == version || len(s.canary) > 0 && s.canary[0].version == version)
}

// affected lists services that may show the incident: callers wait for a slow callee even when they do
// without its answer, but pass on its errors only when they need it.
func (p *plan) affected(s *service, in *incident) []string {
	hit := map[*route]bool{}
	for _, r := range s.routes {
		hit[r] = in.route == nil || in.route == r
	}
	for grown := in.Kind != Silence; grown; {
		grown = false
		for _, caller := range p.services {
			for _, r := range caller.routes {
				for _, e := range r.calls {
					if !hit[r] && hit[e.callee] && !e.async && !(e.optional && in.Kind == ErrorBurst) {
						hit[r], grown = true, true
					}
				}
			}
		}
	}
	var names []string
	for _, svc := range p.services {
		for _, r := range svc.routes {
			if hit[r] && svc.exports {
				names = append(names, svc.name)
				break
			}
		}
	}
	return names
}
