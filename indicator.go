package flyball

import "time"

// DefaultEntity is the label that says what a sample is about when an
// indicator does not name another.
const DefaultEntity = "service.name"

// OverflowValue is the value of every group label of the series that takes the
// samples beyond an indicator's series limit.
const OverflowValue = "__overflow__"

// Indicator says what to measure: which samples of a source, grouped by which
// labels, counted good or bad by what, and with which value.
type Indicator struct {
	// Name identifies the indicator.
	Name string
	// Source names the Source.
	Source string
	// Filter holds the conditions that a sample must meet, all of them.
	Filter []Matcher
	// Entity is the label that names what the indicator is about. It is the
	// partition key of panes and always the first label of the group.
	Entity string
	// GroupBy lists the labels of a series, Entity first.
	GroupBy []string
	// Value names the numeric field that is summed and put into the histogram
	// ("duration" for spans); empty when only counts are wanted.
	Value string
	// Unit of Value, "ns" for durations, for people and dashboards.
	Unit string
	// Bad holds the conditions of a bad sample, all of them; empty means that no
	// sample is bad.
	Bad []Matcher
	// Pane is the width of a pane, 1 s to 60 s.
	Pane time.Duration
	// Window is the width of a reported window, a multiple of Hop, up to 360 times
	// that.
	Window time.Duration
	// Hop is the time from the start of one window to that of the next, a multiple of
	// Pane; 0 is Window, so that every sample is in one window.
	Hop time.Duration
	// Lateness is how long after its end a window still takes samples, as
	// corrections.
	Lateness time.Duration
	// SeriesLimit bounds the series; more go to one overflow series.
	SeriesLimit int
}
