package shop

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Config is all that a shop depends on.
type Config struct {
	// Seed selects the random stream.
	Seed uint64
	// Start is the event time at which the first requests come in.
	Start time.Time
	// Duration is how long new requests come in; 0 is for ever.
	Duration time.Duration
	// Rate is the mean number of spans per second of event time; greater than zero.
	Rate float64
	// DailyAmplitude makes the rate swing by ± this share of Rate over a day; in [0, 1).
	DailyAmplitude float64
	// DailyPeak is the time of day, after midnight UTC, at which the rate is highest.
	DailyPeak time.Duration
	// Day is the length of that cycle; shorten it to see a day in minutes.
	Day time.Duration
	// Environment is deployment.environment.name.
	Environment string
	// Services is the call graph; nil stands for [DefaultServices].
	Services []Service
	// Canaries give a share of a service's requests to a second version.
	Canaries []Canary
	// Incidents is the schedule of faults.
	Incidents []Incident
	// LateShare is the share of spans, in [0, 1], that are exported late.
	LateShare float64
	// LateMax is the longest such delay; delays are uniform in (0, LateMax].
	LateMax time.Duration
	// SkewMax bounds the constant clock error of each pod: uniform in [-SkewMax, SkewMax].
	SkewMax time.Duration
}

// Canary is a second version of a service that takes a share of its requests.
type Canary struct {
	// Service names the service.
	Service string
	// Version is service.version of the canary pods.
	Version string
	// Share of the requests, in (0, 1).
	Share float64
	// From is the offset from the start of the run at which the canary gets its first request.
	From time.Duration
}

// ParseCanary reads service:version:share[@from], for instance "payment:1.9.0:0.1@30s".
func ParseCanary(s string) (Canary, error) {
	spec, from, hasFrom := strings.Cut(s, "@")
	parts := strings.Split(spec, ":")
	if len(parts) != 3 {
		return Canary{}, fmt.Errorf("cannot parse canary %q: want service:version:share[@from]", s)
	}
	c := Canary{Service: parts[0], Version: parts[1]}
	var err error
	if c.Share, err = strconv.ParseFloat(parts[2], 64); err != nil {
		return Canary{}, fmt.Errorf("cannot parse canary %q: %w", s, err)
	}
	if hasFrom {
		if c.From, err = time.ParseDuration(from); err != nil {
			return Canary{}, fmt.Errorf("cannot parse canary %q: %w", s, err)
		}
	}
	return c, nil
}

// Default is the shop of [DefaultServices] at 2,000 spans/s without canaries and incidents. Start is zero.
func Default() Config {
	return Config{
		Seed: 1, Rate: 2000, Day: 24 * time.Hour, DailyPeak: 14 * time.Hour,
		Environment: "production", Services: DefaultServices(),
	}
}

// Validate reports the first thing wrong with the configuration, the call graph and schedule included.
func (c Config) Validate() error {
	switch {
	case !(c.Rate > 0) || math.IsInf(c.Rate, 0):
		return fmt.Errorf("cannot use rate %v: must be positive", c.Rate)
	case c.Duration < 0:
		return fmt.Errorf("cannot use duration %s: must not be negative", c.Duration)
	case !(c.DailyAmplitude >= 0 && c.DailyAmplitude < 1):
		return fmt.Errorf("cannot use daily amplitude %v: must be in [0, 1)", c.DailyAmplitude)
	case c.DailyAmplitude > 0 && c.Day <= 0:
		return fmt.Errorf("cannot use day length %s: must be positive", c.Day)
	case !(c.LateShare >= 0 && c.LateShare <= 1) || c.LateMax < 0 || c.LateMax > 24*time.Hour:
		return fmt.Errorf("cannot use late share %v up to %s: want a share in [0, 1] and at most 24h", c.LateShare, c.LateMax)
	case c.LateShare > 0 && c.LateMax == 0:
		return fmt.Errorf("cannot delay a late share of %v: the longest delay is zero", c.LateShare)
	case c.SkewMax < 0 || c.SkewMax > time.Hour:
		return fmt.Errorf("cannot use clock skew %s: want 0 to 1h", c.SkewMax)
	}
	_, err := compile(c)
	return err
}
