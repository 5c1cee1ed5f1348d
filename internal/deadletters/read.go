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

// clientID names the command in the brokers' logs.
func clientID(cfg *config.Config) string { return cfg.Pipeline.Kafka.ClientID + "-deadletter" }

// read calls each with the letters that are there now and wanted, in the order of each
// partition. What each is given is lent.
func read(ctx context.Context, cfg *config.Config, f filter, each func(*letter) error) error {
	topic := sinkkafka.Topics{Prefix: cfg.Pipeline.Kafka.TopicPrefix}.DeadLetters()
	return connect.ReadTopics(ctx, cfg, clientID(cfg), f.since, []string{topic}, func(r *kgo.Record) error {
		death, err := sinkkafka.ReadDeadLetter(r)
		if err != nil {
			death = sinkkafka.Death{Reason: "unreadable", Message: err.Error(), Record: &kgo.Record{Value: r.Value}}
		}
		l := &letter{Death: death, Partition: r.Partition, Offset: r.Offset, At: r.Timestamp}
		if !f.wants(l) {
			return nil
		}
		return each(l)
	})
}
