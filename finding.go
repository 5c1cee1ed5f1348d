package flyball

// FindingState is where a finding is in its life.
type FindingState string

// The states of a finding: it opens once, may be updated, and is resolved once.
const (
	FindingOpened   FindingState = "opened"
	FindingUpdated  FindingState = "updated"
	FindingResolved FindingState = "resolved"
)

// Finding is something a detector wants known about an entity. The same finding
// is sent again with a higher revision whenever its state or severity changes.
type Finding struct {
	// ID is the same in every state, and the same when the input is replayed.
	ID string `json:"id"`
	// Revision counts from 1.
	Revision int `json:"revision"`
	// Kind is what found it: "burn_rate", "budget_exhausted",
	// "budget_forecast", "anomaly", "canary", "flyball", "remediation_recurring".
	Kind string `json:"kind"`
	// State is opened, updated or resolved.
	State FindingState `json:"state"`
	// Severity is "page", "ticket" or "info".
	Severity string `json:"severity"`
	// Entity is what it is about.
	Entity string `json:"entity"`
	// Labels of the series.
	Labels Labels `json:"labels"`
	// Detector names the SLO, detector or canary.
	Detector string `json:"detector"`
	// Tier is the burn-rate tier that fires, or the algorithm that found an anomaly.
	Tier string `json:"tier,omitempty"`
	// At is the event time of this state: the end of the pane that caused it.
	At Time `json:"at"`
	// OpenedAt is the event time at which it opened.
	OpenedAt Time `json:"opened_at"`
	// Summary is one sentence for a person.
	Summary string `json:"summary"`
	// Evidence holds the numbers behind it.
	Evidence []Evidence `json:"evidence"`
	// Series are those that an anomaly shows in, the most unusual first.
	Series []FindingSeries `json:"series,omitempty"`
	// Examples are a few of the samples that it is about, the worst first.
	Examples []Example `json:"examples,omitempty"`
	// Notify names who is to know, where the SLO says so.
	Notify []string `json:"notify,omitempty"`
	// Incomplete is set when a source was missing, so that automation holds.
	Incomplete bool `json:"incomplete,omitempty"`
}

// FindingSeries is one series that a finding rests on, at its most unusual.
type FindingSeries struct {
	// Indicator, Value and Labels identify it: which number of which windows.
	Indicator string      `json:"indicator"`
	Value     WindowValue `json:"value"`
	Labels    Labels      `json:"labels"`
	// Algorithm that found it, and why in one sentence.
	Algorithm string `json:"algorithm"`
	Reason    string `json:"reason"`
	// Direction is 1 above what was expected, −1 below, 0 for neither.
	Direction int `json:"direction"`
	// Digits of surprise: 4 are what one window in 10,000 reaches by chance.
	Digits float64 `json:"digits"`
	// Share of the surprise of all series of the finding.
	Share float64 `json:"share"`
	// Observed is the number, Expected what the algorithm expected; null where there
	// is none.
	Observed *float64 `json:"observed"`
	Expected *float64 `json:"expected"`
	// At is the end of the window.
	At Time `json:"at"`
}

// Example is one sample for a person to look at, of a series of an indicator.
type Example struct {
	Indicator string `json:"indicator"`
	Labels    Labels `json:"labels"`
	At        Time   `json:"at"`
	// Trace that it belongs to, in hex.
	Trace string `json:"trace,omitempty"`
	// Text of a log record, shortened and redacted.
	Text string `json:"text,omitempty"`
	// Value in the unit of the indicator, and whether it is a bad sample.
	Value *float64 `json:"value,omitempty"`
	Bad   bool     `json:"bad"`
}

// LabelVerdict is what a person says of a finding.
type LabelVerdict string

// The verdicts: it was worth knowing, or it was not.
const (
	LabelReal  LabelVerdict = "real"
	LabelNoise LabelVerdict = "noise"
)

// FindingLabel is what a person said of a finding.
type FindingLabel struct {
	// Finding is its id, Entity what it is about.
	Finding string `json:"finding"`
	Entity  string `json:"entity"`
	// Verdict, By whom, and At what time.
	Verdict LabelVerdict `json:"verdict"`
	By      string       `json:"by"`
	At      Time         `json:"at"`
}

// Evidence is one number that speaks for a finding or a command.
type Evidence struct {
	// Name of the number, such as "burn_long".
	Name string `json:"name"`
	// Value as measured.
	Value float64 `json:"value"`
	// Threshold that it was compared with, if any.
	Threshold *float64 `json:"threshold,omitempty"`
	// Unit, such as "x", "ns", "events".
	Unit string `json:"unit,omitempty"`
	// Window that it covers, such as "1h".
	Window string `json:"window,omitempty"`
}

// EvidenceValue returns the value of the evidence called name.
func (f *Finding) EvidenceValue(name string) (float64, bool) {
	for _, e := range f.Evidence {
		if e.Name == name {
			return e.Value, true
		}
	}
	return 0, false
}
