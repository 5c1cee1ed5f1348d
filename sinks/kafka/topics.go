package kafka

// Topics gives the names of Flyball's topics.
type Topics struct {
	// Prefix starts every name; "flyball." by default.
	Prefix string
}

// Panes carries partial panes and watermark marks, by hash of the entity.
func (t Topics) Panes() string { return t.Prefix + "panes" }

// Windows carries closed windows; its partitions are those of Panes.
func (t Topics) Windows() string { return t.Prefix + "windows" }

// SLO carries the status of SLOs; its partitions are those of Panes.
func (t Topics) SLO() string { return t.Prefix + "slo" }

// Bands carries what detectors expected of windows; its partitions are those of
// Panes.
func (t Topics) Bands() string { return t.Prefix + "bands" }

// Findings carries the states of findings; one partition.
func (t Topics) Findings() string { return t.Prefix + "findings" }

// Labels carries what people said of findings; one partition.
func (t Topics) Labels() string { return t.Prefix + "labels" }

// Verdicts carries canary verdicts, keyed by canary.
func (t Topics) Verdicts() string { return t.Prefix + "verdicts" }

// Commands carries remediation commands, keyed by target.
func (t Topics) Commands() string { return t.Prefix + "commands" }

// Outcomes carries what executors report; one partition.
func (t Topics) Outcomes() string { return t.Prefix + "outcomes" }

// Decisions carries every decision with its gates.
func (t Topics) Decisions() string { return t.Prefix + "decisions" }

// Control carries what people tell the decide role; one partition.
func (t Topics) Control() string { return t.Prefix + "control" }

// Canaries carries canary requests; its partitions are those of Panes.
func (t Topics) Canaries() string { return t.Prefix + "canaries" }

// State carries the machines' memory, compacted; its partitions are those of
// Panes.
func (t Topics) State() string { return t.Prefix + "state" }

// DeadLetters carries what could not be used.
func (t Topics) DeadLetters() string { return t.Prefix + "deadletter" }
