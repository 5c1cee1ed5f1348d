package engine

import (
	"fmt"
	"slices"

	"github.com/flyball-io/flyball/internal/scenario/memlog"
	"github.com/flyball-io/flyball/processors"
	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

// table stands for the tables of ClickHouse: rows by their natural keys, and the
// tokens of inserts that it has seen. It outlives the members that write it.
type table struct {
	tokens map[string]bool
	rows   map[string]map[string]bool // topic → natural key
}

func newTable() *table {
	return &table{tokens: map[string]bool{}, rows: map[string]map[string]bool{}}
}

// insert adds the rows of one record, once however often it is inserted.
func (t *table) insert(r *memlog.Record) {
	if isWatermark(r) {
		return
	}
	token := fmt.Sprintf("%s:%d:%d-%d", r.Topic, r.Index, r.Offset, r.Offset)
	if t.tokens[token] {
		return
	}
	t.tokens[token] = true
	if t.rows[r.Topic] == nil {
		t.rows[r.Topic] = map[string]bool{}
	}
	for _, key := range naturalKeys(r) {
		t.rows[r.Topic][key] = true
	}
}

// naturalKeys returns what identifies each row of a record.
func naturalKeys(r *memlog.Record) []string {
	var keys []string
	switch rows := r.Payload.(type) {
	case []processors.WindowRow:
		for _, w := range rows {
			keys = append(keys, fmt.Sprintf("%s %s %d %d %d", w.Indicator, w.Labels, w.Start, w.End, w.Revision))
		}
	case []processors.SLORow:
		for _, s := range rows {
			keys = append(keys, fmt.Sprintf("%s %s %d", s.SLO, s.Labels, s.At))
		}
	default:
		keys = append(keys, fmt.Sprintf("%d/%d", r.Index, r.Offset))
	}
	return keys
}

// recordStage copies results to the table, record by record. Its inserts are not
// part of its transactions: one that is repeated must be told by its token.
type recordStage struct {
	engine *Engine
}

func newRecordStage(e *Engine) *recordStage { return &recordStage{e} }

// recorded lists the topics that are recorded.
func recorded(t sinkkafka.Topics) []string {
	return []string{t.Windows(), t.SLO(), t.Findings(), t.Verdicts(), t.Decisions(), t.Commands(), t.DeadLetters()}
}

func (s *recordStage) take(_ memlog.Partition, records []*memlog.Record) {
	for _, r := range records {
		s.engine.table.insert(r)
	}
}

func (s *recordStage) flush() (output, error) { return output{}, nil }

func (s *recordStage) end(bool) {}

// isWatermark reports whether a record tells decide the time, which nobody records.
func isWatermark(r *memlog.Record) bool {
	return len(r.Headers) > 0 && sinkkafka.IsWatermark(r.Kafka())
}

// Recorded is how far the database is.
type Recorded struct {
	// Topic is what is recorded, Rows how many rows of it there are.
	Topic string
	Rows  int
	// Behind is how many records were not inserted yet.
	Behind int64
}

// Recorded returns how far the database is, topic by topic.
func (e *Engine) Recorded() []Recorded {
	var out []Recorded
	m := e.of(Recorder)[0]
	for _, topic := range m.topics {
		r := Recorded{Topic: topic[len(e.topics.Prefix):], Rows: len(e.table.rows[topic])}
		for _, p := range e.log.Partitions(topic) {
			from, _ := e.log.Committed(m.group, p)
			records, _ := e.log.Read(p, from.At, 1<<30)
			r.Behind += int64(len(slices.DeleteFunc(records, isWatermark)))
		}
		out = append(out, r)
	}
	return out
}
