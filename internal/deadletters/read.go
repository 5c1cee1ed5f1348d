// Package deadletters is the command deadletter: what could not be used, why, and how it
// is given back once the cause is mended.
package deadletters

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/connect"
	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

// letter is a dead letter and where it is.
type letter struct {
	sinkkafka.Death
	Partition int32
	Offset    int64
	At        time.Time
}

// place writes where a letter is, as people name it: partition/offset.
func (l *letter) place() string { return fmt.Sprintf("%d/%d", l.Partition, l.Offset) }

// filter says which letters are wanted; its zero value is all.
type filter struct {
	stage, reason, topic string
	since                time.Time
	places               []string // partition/offset; empty is all
}

func (f *filter) wants(l *letter) bool {
	return (f.stage == "" || l.Stage == f.stage) && (f.reason == "" || l.Reason == f.reason) &&
		(f.topic == "" || l.Record.Topic == f.topic) && !l.At.Before(f.since) &&
		(len(f.places) == 0 || slices.Contains(f.places, l.place()))
}

// parsePlaces checks places that people wrote.
func parsePlaces(args []string) ([]string, error) {
	for _, a := range args {
		p, o, ok := strings.Cut(a, "/")
		_, errP := strconv.ParseUint(p, 10, 31)
		_, errO := strconv.ParseUint(o, 10, 63)
		if !ok || errP != nil || errO != nil {
			return nil, fmt.Errorf("%q is no place of a dead letter; want partition/offset, as list shows it", a)
		}
	}
	return args, nil
}

// dial returns a client of the brokers of a configuration.
func dial(cfg *config.Config, more ...kgo.Opt) (*kgo.Client, error) {
	security, err := connect.Kafka(cfg.Pipeline.Kafka)
	if err != nil {
		return nil, err
	}
	opts := append(security, kgo.SeedBrokers(cfg.Pipeline.Kafka.Brokers...), kgo.ClientID(cfg.Pipeline.Kafka.ClientID+"-deadletter"))
	c, err := kgo.NewClient(append(opts, more...)...)
	if err != nil {
		return nil, fmt.Errorf("cannot reach Kafka: %w", err)
	}
	return c, nil
}

// read calls each with the letters that are there now and wanted, in the order of each
// partition. What each is given is lent.
func read(ctx context.Context, cfg *config.Config, f filter, each func(*letter) error) error {
	topic := sinkkafka.Topics{Prefix: cfg.Pipeline.Kafka.TopicPrefix}.DeadLetters()
	from := kgo.NewOffset().AtStart()
	if !f.since.IsZero() {
		from = from.AfterMilli(f.since.UnixMilli())
	}
	cl, err := dial(cfg, kgo.ConsumeTopics(topic), kgo.ConsumeStartOffset(from), kgo.ConsumeResetOffset(from),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords())
	if err != nil {
		return err
	}
	defer cl.Close()
	left, err := extent(ctx, kadm.NewClient(cl), topic, f.since)
	if err != nil {
		return err
	}
	for len(left) > 0 {
		fetches := cl.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return fmt.Errorf("cannot read %q: %w", topic, err)
		}
		for it := fetches.RecordIter(); !it.Done(); {
			r := it.Next()
			if r.Offset+1 >= left[r.Partition] {
				delete(left, r.Partition)
			}
			if r.Attrs.IsControl() {
				continue
			}
			death, err := sinkkafka.ReadDeadLetter(r)
			if err != nil {
				death = sinkkafka.Death{Reason: "unreadable", Message: err.Error(), Record: &kgo.Record{Value: r.Value}}
			}
			l := &letter{Death: death, Partition: r.Partition, Offset: r.Offset, At: r.Timestamp}
			if !f.wants(l) {
				continue
			}
			if err := each(l); err != nil {
				return err
			}
		}
	}
	return nil
}

// extent returns the ends of the partitions that hold something from a time on.
func extent(ctx context.Context, admin *kadm.Client, topic string, since time.Time) (map[int32]int64, error) {
	ends, err := admin.ListEndOffsets(ctx, topic)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("cannot list the ends of %q: %w", topic, err)
	}
	starts, err := admin.ListStartOffsets(ctx, topic)
	if !since.IsZero() {
		starts, err = admin.ListOffsetsAfterMilli(ctx, since.UnixMilli(), topic)
	}
	if err == nil {
		err = starts.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("cannot list the starts of %q: %w", topic, err)
	}
	left := map[int32]int64{}
	ends.Each(func(o kadm.ListedOffset) {
		if s, ok := starts.Lookup(topic, o.Partition); ok && s.Offset < o.Offset {
			left[o.Partition] = o.Offset
		}
	})
	return left, nil
}
