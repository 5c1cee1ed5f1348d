// Package processors is the contract of the second stage: pure state machines
// that turn samples into panes, panes into windows, SLO status and findings, and
// findings into decisions and commands.
//
// A machine reads no clock, starts no goroutine and does no I/O. It is stepped
// with what arrived, and answers with a [Ready]: everything that must become
// durable together, in one Kafka transaction. Replay, backtests, scenarios and
// crash tests drive the same machines without Kafka.
package processors

import "github.com/flyball-io/flyball"

// Machine is one stage's state machine, for one owner: a group member
// (aggregate) or a partition (evaluate, decide).
//
// The caller steps it once or more per transaction, makes what the Readys hold
// durable, and then tells it how the transaction ended. B is what it consumes.
type Machine[B any] interface {
	// Step takes input and returns what it causes. Slices in the Ready are valid
	// until the next Step.
	Step(B) Ready
	// Commit makes what the steps since the last Commit or Abort did permanent.
	Commit()
	// Abort takes it back: the machine is as it was, and the same input will be
	// given again, possibly in other pieces.
	Abort()
}

// Ready is what one step wants done, all or nothing.
type Ready struct {
	// Panes are partial panes and watermark marks, one block per target
	// partition (aggregate).
	Panes []PaneBlock
	// Windows are closed windows, and corrections of them (evaluate).
	Windows *Windows
	// SLO is the status of SLOs (evaluate).
	SLO *SLOStatus
	// Bands are what detectors expected of windows (evaluate).
	Bands *Bands
	// Findings changed state (evaluate; decide, about remediations that recur).
	Findings []flyball.Finding
	// Verdicts on canaries, at some look (evaluate).
	Verdicts []flyball.Verdict
	// Decisions were made (decide).
	Decisions []flyball.Decision
	// Commands are to be sent (decide).
	Commands []flyball.Command
	// State holds changes of the machine's long memory, for the compacted state
	// topic.
	State []StateChange
	// DeadLetters could not be used (any machine).
	DeadLetters []DeadLetter
	// Limited says which limits were hit (any machine). It is for metrics only.
	Limited []Limited
	// Resume, when set, says where a successor must start reading, and where its
	// news begin; it is to be committed in place of the offset that was reached.
	Resume *Resume
}

// PaneBlock is what one flush sends to one partition of the panes topic.
type PaneBlock struct {
	// Partition of the panes topic.
	Partition int32
	// Panes is an Arrow IPC stream (see PaneWriter); nil when there are only marks.
	Panes []byte
	// Marks are the sender's watermarks; they hold after the panes of the block.
	Marks []Mark
}

// Mark is the watermark of one source partition: no more samples before it.
type Mark struct {
	// Source is the name of the source, Topic and Partition where it is read.
	Source    string `json:"source"`
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	// Of is the number of partitions that the topic has.
	Of int32 `json:"of"`
	// Watermark in event time; NoTime when nothing was ever read.
	Watermark flyball.Time `json:"watermark"`
	// Idle is set when the partition has had nothing left to read for the
	// source's idle timeout: it does not hold others back.
	Idle bool `json:"idle,omitempty"`
	// Stalled is set when there has been something left to read for the source's
	// stall timeout, and nothing came: others do not wait for it, and what it would
	// have given is missing.
	Stalled bool `json:"stalled,omitempty"`
	// Complaint says what is wrong with the schema of records, if anything was of late.
	Complaint string `json:"complaint,omitempty"`
}

// StateChange sets one key of the compacted state topic; a nil value deletes it.
type StateChange struct {
	Key   string
	Value []byte
}

// DeadLetter is a part of the input that could not be used.
type DeadLetter struct {
	// Reason is a short constant, a label of a metric.
	Reason string
	// Detail says what and why, for a person.
	Detail string
	// Value is the record or the part of it.
	Value []byte
}

// Reasons for which something was limited.
const (
	// LimitSeries counts samples (aggregate) or partial panes (evaluate) that were
	// counted in the overflow series, because the indicator had too many series.
	LimitSeries = "series"
	// LimitBudgets counts partial panes that were counted in the overflow's budget,
	// because the SLO had too many entities or groups.
	LimitBudgets = "budgets"
	// LimitWatched counts windows that were not watched for anomalies, because the
	// detector had too many series.
	LimitWatched = "watched_series"
	// LimitCohorts counts looks at which an entity had too many cohorts to remember.
	LimitCohorts = "canary_cohorts"
	// LimitHistories counts looks at which not all that cohorts counted was remembered.
	LimitHistories = "canary_histories"
	// LimitReplicas counts looks at which a cohort had too many replicas to tell apart.
	LimitReplicas = "canary_replicas"
	// LimitEdges counts findings about calls from which decide did not learn who calls
	// whom, because it knew too many such pairs.
	LimitEdges = "edges"
	// LimitChanges counts changes that were not told, because a transaction had too many.
	LimitChanges = "changes"
	// LimitRecurrences counts commands of which decide did not count how often they
	// come, because there were too many pairs of a rule and a service.
	LimitRecurrences = "recurrences"
)

// Limited says how often a limit was hit.
type Limited struct {
	// Reason is one of the Limit constants.
	Reason string
	// Times that it was hit since the last step that said so.
	Times int64
}

// Resume says from where a successor rebuilds what is in memory only.
type Resume struct {
	// Low is the lowest offset that an open or still correctable window needs; at
	// most Head.
	Low int64
	// Head is the first offset that was not evaluated yet. It is more than the
	// offset reached while the machine still rebuilds: committing that one would
	// have records evaluated twice.
	Head int64
}

// PartitionOf returns the partition, of n, that holds an entity. The hash is
// FNV-1a 64, fixed for ever: state and panes are co-partitioned by it.
func PartitionOf(entity string, n int32) int32 {
	const offset, prime = 14695981039346656037, 1099511628211
	h := uint64(offset)
	for i := range len(entity) {
		h = (h ^ uint64(entity[i])) * prime
	}
	h ^= h >> 32 // FNV's low bits mix poorly for short keys
	return int32(h % uint64(n))
}
