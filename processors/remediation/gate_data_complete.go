package remediation

// dataCompleteGate holds commands that would rest on a part of the telemetry: a
// source was missing when the finding was made.
type dataCompleteGate struct{}

func (dataCompleteGate) name() string { return "data_complete" }

func (dataCompleteGate) judge(c candidate, _ *memory) (bool, string) {
	if c.finding.Incomplete {
		return false, "a source of the finding's data was missing"
	}
	return true, "all sources had reported"
}
