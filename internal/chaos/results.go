package chaos

import (
	"context"
	"fmt"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball/processors"
	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

// rows are results of one kind by what they say, or by what identifies them, and
// how often each is there.
type rows map[string]int

// results are all that a run came to.
type results struct {
	windows, slo, findings, decisions, commands rows
	deadLetters                                 int
	// samples of closed windows, of the last revision that came.
	samples map[windowID]int64
}

// windowID identifies a window of a series.
type windowID struct {
	labels string
	start  int64
}

// readResults reads the result topics of a run up to their present ends.
func readResults(ctx context.Context, broker string, n names) (results, error) {
	topics := sinkkafka.Topics{Prefix: n.topicPrefix}
	r := results{windows: rows{}, slo: rows{}, findings: rows{}, decisions: rows{}, commands: rows{}, samples: map[windowID]int64{}}
	err := readCommitted(ctx, broker, func(rec *kgo.Record) error {
		switch rec.Topic {
		case topics.Windows():
			return r.addWindows(rec)
		case topics.SLO():
			return addRows(r.slo, rec)
		case topics.Findings():
			if sinkkafka.IsWatermark(rec) {
				return nil // how many there are depends on what came in one transaction
			}
			r.findings[sinkkafka.Header(rec, sinkkafka.HeaderID)]++
		case topics.Decisions():
			r.decisions[sinkkafka.Header(rec, sinkkafka.HeaderID)]++
		case topics.Commands():
			r.commands[sinkkafka.Header(rec, sinkkafka.HeaderID)]++
		case topics.DeadLetters():
			r.deadLetters++
		}
		return nil
	}, topics.Windows(), topics.SLO(), topics.Findings(), topics.Decisions(), topics.Commands(), topics.DeadLetters())
	return r, err
}

func (r *results) addWindows(rec *kgo.Record) error {
	block, err := processors.DecodeRecord(rec.Value)
	if err != nil {
		return fmt.Errorf("cannot decode windows at %s/%d:%d: %w", rec.Topic, rec.Partition, rec.Offset, err)
	}
	defer block.Release()
	addBlock(r.windows, block)
	labels, start := column(block, "labels"), column(block, "start").(*array.Timestamp)
	count := column(block, "count").(*array.Int64)
	for i := range int(block.NumRows()) {
		if at := int64(start.Value(i)); time.Unix(0, at).Before(closingTime) {
			r.samples[windowID{labels.ValueStr(i), at}] = count.Value(i)
		}
	}
	return nil
}

func column(block arrow.Record, name string) arrow.Array {
	return block.Column(block.Schema().FieldIndices(name)[0])
}

func addRows(out rows, rec *kgo.Record) error {
	block, err := processors.DecodeRecord(rec.Value)
	if err != nil {
		return fmt.Errorf("cannot decode %s/%d:%d: %w", rec.Topic, rec.Partition, rec.Offset, err)
	}
	defer block.Release()
	addBlock(out, block)
	return nil
}

// addBlock adds the rows of a block by all that they say.
func addBlock(out rows, block arrow.Record) {
	for i := range int(block.NumRows()) {
		text := ""
		for c, f := range block.Schema().Fields() {
			text += f.Name + "=" + block.Column(c).ValueStr(i) + " "
		}
		out[text]++
	}
}

// difference is how a run's rows differ from those wanted.
type difference struct{ lost, doubled, unexpected int }

// compare tells rows that are missing, there more than once, and there though not
// wanted; of each it passes examples to note.
func compare(what string, want, got rows, note func(string)) difference {
	var d difference
	const shown = 3
	example := func(n int, problem, row string) {
		if n <= shown {
			note(fmt.Sprintf("%s %s: %s", what, problem, row))
		}
	}
	for row := range want {
		if got[row] == 0 {
			d.lost++
			example(d.lost, "lost", row)
		}
	}
	for row, n := range got {
		if n > 1 {
			d.doubled++
			example(d.doubled, "doubled", row)
		}
		if want[row] == 0 {
			d.unexpected++
			example(d.unexpected, "unexpected", row)
		}
	}
	return d
}

// readCommitted passes every committed record that the topics hold now to use. It
// waits for the end of transactions that are open.
func readCommitted(ctx context.Context, broker string, use func(*kgo.Record) error, topics ...string) error {
	fail := func(err error) error { return fmt.Errorf("cannot read %q: %w", topics, err) }
	client, err := kgo.NewClient(kgo.SeedBrokers(broker), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.KeepControlRecords(), kgo.FetchMaxWait(250*time.Millisecond))
	if err != nil {
		return fail(err)
	}
	defer client.Close()
	ends, err := kadm.NewClient(client).ListEndOffsets(ctx, topics...)
	if err != nil {
		return fail(err)
	}
	left := map[string]map[int32]int64{}
	ends.Each(func(o kadm.ListedOffset) {
		if o.Err == nil && o.Offset > 0 {
			if left[o.Topic] == nil {
				left[o.Topic] = map[int32]int64{}
			}
			left[o.Topic][o.Partition] = o.Offset
			client.AddConsumePartitions(map[string]map[int32]kgo.Offset{o.Topic: {o.Partition: kgo.NewOffset().At(0)}})
		}
	})
	if err := ends.Error(); err != nil {
		return fail(err)
	}
	for len(left) > 0 {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return fail(err)
		}
		for it := fetches.RecordIter(); !it.Done(); {
			r := it.Next()
			if r.Offset < left[r.Topic][r.Partition] && !r.Attrs.IsControl() {
				if err := use(r); err != nil {
					return err
				}
			}
			if r.Offset+1 >= left[r.Topic][r.Partition] {
				if delete(left[r.Topic], r.Partition); len(left[r.Topic]) == 0 {
					delete(left, r.Topic)
				}
			}
		}
	}
	return nil
}
