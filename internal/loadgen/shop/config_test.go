package shop

import (
	"strings"
	"testing"
	"time"
)

func TestParseCanary(t *testing.T) {
	got, err := ParseCanary("payment:1.9.0:0.1@30s")
	if want := (Canary{Service: "payment", Version: "1.9.0", Share: 0.1, From: 30 * time.Second}); err != nil || got != want {
		t.Errorf("got %+v, want %+v: %v", got, want, err)
	}
	for _, bad := range []string{"", "payment", "payment:1.9.0", "payment:1.9.0:x", "payment:1.9.0:0.1@soon"} {
		if got, err := ParseCanary(bad); err == nil {
			t.Errorf("%q is %+v", bad, got)
		}
	}
}

func TestCanaryStartsLater(t *testing.T) {
	c := testShop()
	c.Canaries = []Canary{{Service: "catalog", Version: "3.0.0", Share: 0.5, From: 10 * time.Second}}
	from := c.Start.Add(10 * time.Second).UnixNano()
	n := 0
	generate(t, c, Slot, func(s *Span) {
		if s.Version() == "3.0.0" {
			n++
			if s.Start < from {
				t.Fatalf("the canary served a request at %d", s.Start)
			}
		}
	})
	if n == 0 {
		t.Error("the canary served no requests")
	}
}

func TestValidate(t *testing.T) {
	f := func(want string, change func(*Config)) {
		t.Helper()
		c := testShop()
		change(&c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v, want one with %q", err, want)
		}
		if _, err := New(c); err == nil {
			t.Errorf("a shop came of a configuration with %q", want)
		}
	}
	f("rate", func(c *Config) { c.Rate = 0 })
	f("duration", func(c *Config) { c.Duration = -1 })
	f("amplitude", func(c *Config) { c.DailyAmplitude = 1 })
	f("day length", func(c *Config) { c.DailyAmplitude, c.Day = 0.5, 0 })
	f("late share", func(c *Config) { c.LateShare = 1.5 })
	f("longest delay", func(c *Config) { c.LateShare = 0.1 })
	f("skew", func(c *Config) { c.SkewMax = 2 * time.Hour })
	f("no service", func(c *Config) { c.Incidents = []Incident{middle(ErrorBurst, "nobody", 0)} })
	f("no route", func(c *Config) {
		c.Incidents = []Incident{{Kind: ErrorBurst, Service: "cart", Route: "GET /", Duration: time.Second}}
	})
	f("no version", func(c *Config) {
		c.Incidents = []Incident{{Kind: ErrorBurst, Service: "cart", Version: "9", Duration: time.Second}}
	})
	f("exports no spans", func(c *Config) { c.Incidents = []Incident{middle(Silence, "postgres", 0)} })
	f("no such service", func(c *Config) { c.Canaries = []Canary{{Service: "nobody", Version: "2", Share: 0.1}} })
	f("a share in (0, 1)", func(c *Config) { c.Canaries = []Canary{{Service: "cart", Version: "2", Share: 1}} })
	f("second canary", func(c *Config) {
		c.Canaries = []Canary{{Service: "cart", Version: "2", Share: 0.1}, {Service: "cart", Version: "3", Share: 0.1}}
	})
	f("no such route", func(c *Config) { c.Services[0].Routes[0].Calls[0].Route = "GET /nothing" })
	f("calls itself", func(c *Config) {
		catalog := &c.Services[2]
		catalog.Routes[0].Calls = append(catalog.Routes[0].Calls, Call{Service: "search", Route: "GET /search"})
	})
	f("protocol", func(c *Config) { c.Services[3].Protocol = "smoke" })
	f("form of protocol", func(c *Config) { c.Services[0].Routes[0].Name = "/{a}/{b}" })
	f("median", func(c *Config) { c.Services[0].Routes[0].Self.Median = 0 })
	f("pods", func(c *Config) { c.Services[0].Pods = 0 })
	f("usable weight", func(c *Config) {
		for i := range c.Services[0].Routes {
			c.Services[0].Routes[i].Weight = 0
		}
	})
}
