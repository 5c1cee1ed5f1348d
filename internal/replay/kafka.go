package replay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/ingest"
	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/machines"
	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

// Ranges gives records of topics in the order of their times. It only reads: it joins no
// group, commits nothing and makes no topic.
type Ranges struct {
	client     *kgo.Client
	merger     *merger
	lanes      map[Partition]*rangeLane
	partitions []Partition
	total      int64
}

// OpenSources opens the topics of the sources of a configuration, from the first record
// that came at from or later to the last before to, or as of now.
func OpenSources(ctx context.Context, c *config.Config, from, to flyball.Time, opts ...kgo.Opt) (*Ranges, error) {
	var topics []string
	for _, s := range machines.Measured(c) {
		topics = append(topics, s.Topics...)
	}
	slices.Sort(topics)
	return openRanges(ctx, slices.Compact(topics), from, to, opts)
}

func openRanges(ctx context.Context, topics []string, from, to flyball.Time, opts []kgo.Opt) (_ *Ranges, err error) {
	r := &Ranges{lanes: map[Partition]*rangeLane{}}
	defer func() {
		if err != nil && r.client != nil {
			r.client.Close()
		}
	}()
	starts, err := r.find(ctx, topics, from, to, opts)
	if err != nil {
		return nil, err
	}
	r.client, err = kgo.NewClient(append(slices.Clone(opts), kgo.ConsumePartitions(starts),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords())...)
	if err != nil {
		return nil, fmt.Errorf("cannot reach Kafka: %w", err)
	}
	lanes := map[Partition]lane{}
	for p, l := range r.lanes {
		lanes[p] = l
	}
	r.merger, err = newMerger(ctx, lanes)
	return r, err
}

// find looks up which offsets are within the bounds.
func (r *Ranges) find(ctx context.Context, topics []string, from, to flyball.Time, opts []kgo.Opt) (map[string]map[int32]kgo.Offset, error) {
	client, err := kgo.NewClient(opts...)
	if err != nil {
		return nil, fmt.Errorf("cannot reach Kafka: %w", err)
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	first, err := offsetsOf(admin.ListOffsetsAfterMilli(ctx, max(from, 0).Std().UnixMilli(), topics...))
	if err != nil {
		return nil, err
	}
	last, err := offsetsOf(admin.ListCommittedOffsets(ctx, topics...))
	if err != nil {
		return nil, err
	}
	if to != flyball.NoTime {
		until, err := offsetsOf(admin.ListOffsetsAfterMilli(ctx, to.Add(999_999).Std().UnixMilli(), topics...))
		if err != nil {
			return nil, err
		}
		for p, end := range until {
			last[p] = min(last[p], end)
		}
	}
	starts := map[string]map[int32]kgo.Offset{}
	for p, start := range first {
		r.partitions = append(r.partitions, p)
		if start >= last[p] {
			continue
		}
		r.total += last[p] - start
		r.lanes[p] = &rangeLane{ranges: r, position: start, end: last[p], record: Record{Partition: p}}
		if starts[p.Topic] == nil {
			starts[p.Topic] = map[int32]kgo.Offset{}
		}
		starts[p.Topic][p.Index] = kgo.NewOffset().At(start)
	}
	slices.SortFunc(r.partitions, Partition.compare)
	return starts, nil
}

func offsetsOf(list kadm.ListedOffsets, err error) (map[Partition]int64, error) {
	if err == nil {
		err = list.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("cannot list the offsets of the topics: %w", err)
	}
	out := map[Partition]int64{}
	list.Each(func(o kadm.ListedOffset) { out[Partition{o.Topic, o.Partition}] = o.Offset })
	return out, nil
}

// Next implements [Feed].
func (r *Ranges) Next(ctx context.Context) (*Record, error) { return r.merger.next(ctx) }

// Partitions implements [Feed].
func (r *Ranges) Partitions() []Partition { return r.partitions }

// Share implements [Feed].
func (r *Ranges) Share() float64 {
	left := int64(0)
	for _, l := range r.lanes {
		left += l.end - l.position + int64(len(l.records))
	}
	return 1 - float64(left)/float64(max(r.total, 1))
}

// Close ends the connections.
func (r *Ranges) Close() { r.client.Close() }

// A partition with many records that wait for those of others is not read on.
const (
	manyWaiting = 2000
	fewWaiting  = 200
)

// poll reads more records of whatever partitions have some.
func (r *Ranges) poll(ctx context.Context) error {
	pause, resume := map[string][]int32{}, map[string][]int32{}
	for p, l := range r.lanes {
		switch n := len(l.records); {
		case n >= manyWaiting || l.position >= l.end:
			pause[p.Topic] = append(pause[p.Topic], p.Index)
		case n <= fewWaiting:
			resume[p.Topic] = append(resume[p.Topic], p.Index)
		}
	}
	r.client.PauseFetchPartitions(pause)
	r.client.ResumeFetchPartitions(resume)
	fetches := r.client.PollFetches(ctx)
	if err := fetches.Err(); err != nil {
		return fmt.Errorf("cannot read telemetry: %w", err)
	}
	fetches.EachRecord(func(k *kgo.Record) {
		l := r.lanes[Partition{k.Topic, k.Partition}]
		if l == nil || k.Offset < l.position {
			return
		}
		if k.Offset < l.end && !k.Attrs.IsControl() {
			l.records = append(l.records, k)
		}
		l.position = min(k.Offset+1, l.end)
	})
	return nil
}

// rangeLane is a range of one partition.
type rangeLane struct {
	ranges        *Ranges
	records       []*kgo.Record // read and not given
	position, end int64
	record        Record
}

func (l *rangeLane) next(ctx context.Context) (*Record, error) {
	for len(l.records) == 0 {
		if l.position >= l.end {
			return nil, io.EOF
		}
		if err := l.ranges.poll(ctx); err != nil {
			return nil, err
		}
	}
	k := l.records[0]
	l.records[0], l.records = nil, l.records[1:]
	l.record.At, l.record.Value, l.record.Headers = flyball.TimeOf(k.Timestamp), k.Value, l.record.Headers[:0]
	for _, h := range k.Headers {
		l.record.Headers = append(l.record.Headers, ingest.Header{Key: h.Key, Value: h.Value})
	}
	return &l.record, nil
}

// ReadSaid reads what executors and people have said on the topics outcomes and control,
// and how many records were something else.
func ReadSaid(ctx context.Context, topics sinkkafka.Topics, from, to flyball.Time, opts ...kgo.Opt) (said []Said, unreadable int64, err error) {
	r, err := openRanges(ctx, []string{topics.Outcomes(), topics.Control()}, from, to, opts)
	if err != nil {
		return nil, 0, err
	}
	defer r.Close()
	for {
		rec, err := r.Next(ctx)
		if errors.Is(err, io.EOF) {
			return said, unreadable, nil
		}
		if err != nil {
			return nil, 0, err
		}
		k := &kgo.Record{Topic: rec.Topic, Value: rec.Value}
		for _, h := range rec.Headers {
			k.Headers = append(k.Headers, kgo.RecordHeader{Key: h.Key, Value: h.Value})
		}
		s := Said{At: rec.At}
		if rec.Topic == topics.Control() {
			c, err2 := sinkkafka.DecodeControl(k)
			s.Control, err = &c, err2
		} else {
			o, err2 := sinkkafka.DecodeOutcome(k)
			s.Outcome, err = &o, err2
		}
		if err != nil { // decide would have put it on the dead-letter topic
			unreadable++
			continue
		}
		said = append(said, s)
	}
}
