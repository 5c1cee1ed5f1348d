package spec

// Indicator is the spec of kind Indicator: which samples of a source to
// measure, and how.
type Indicator struct {
	// Source names the Source.
	Source string `yaml:"source" required:"true"`
	// Filter holds the conditions that a sample must meet, all of them, as
	// matchers: `span.kind="SERVER"`, `http.route=~"/api/.*"`, `duration > 300ms`.
	// Without it every sample counts.
	Filter []string `yaml:"filter,omitempty"`
	// Entity is the label that names what the indicator is about. All that
	// concerns one entity is evaluated together.
	Entity string `yaml:"entity" default:"service.name"`
	// GroupBy lists the labels by which samples are told apart, besides the entity.
	GroupBy []string `yaml:"groupBy,omitempty"`
	// Value names the numeric field that is summed and put into the histogram.
	// Without it spans give their duration and JSON gives counts only; "" is
	// counts only.
	Value *string `yaml:"value"`
	// Unit of the value, for people and dashboards. Durations are in ns by
	// themselves.
	Unit string `yaml:"unit,omitempty"`
	// Bad holds the conditions of a bad sample, all of them. Without it a span is
	// bad when status.code="ERROR" and no JSON sample is bad; [] is no sample.
	Bad []string `yaml:"bad"`
	// Pane is the width of the slices of event time in which samples are counted;
	// it divides a day.
	Pane Duration `yaml:"pane" default:"10s" min:"1s" max:"60s"`
	// Window is the width of a reported window, a multiple of the pane, up to 360 hops.
	Window Duration `yaml:"window" default:"1m" min:"1s" max:"30d"`
	// Hop is the time from the start of one window to that of the next, a multiple of
	// the pane. Without it windows follow one another.
	Hop Duration `yaml:"hop,omitempty" min:"1s" max:"30d"`
	// Lateness is how long after its end a window still takes samples, as
	// corrections.
	Lateness Duration `yaml:"lateness" default:"5m" max:"1d"`
	// SeriesLimit bounds the series; the samples of more go to one overflow
	// series. Without it the Pipeline's limits.seriesPerIndicator holds.
	SeriesLimit int `yaml:"seriesLimit,omitempty" min:"1" max:"10000000"`
}
