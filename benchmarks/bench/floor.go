package main

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"io"
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"

	"github.com/flyball-io/flyball/ingest/kafka"
)

// Sums are what both programs must agree on.
type Sums struct {
	Spans  int64 `json:"spans"`
	Failed int64 `json:"failed"`
	// Total of all values: of spans their seconds.
	Total float64 `json:"total"`
	// Series is the number of services and routes.
	Series int `json:"series"`
}

// FloorResult is what the floor prints.
type FloorResult struct {
	Usage Usage `json:"usage"`
	Sums  Sums  `json:"sums"`
}

// measureFloor reads the topic to its end and prints a FloorResult.
func measureFloor(ctx context.Context, t Task, _ io.Reader, out io.Writer) error {
	m, err := newMeter(t)
	if err != nil {
		return err
	}
	workers := make([]*floorWorker, t.Workers)
	seed := maphash.MakeSeed()
	for n := range workers {
		if workers[n], err = newFloorWorker(t, n, seed, m.traffic); err != nil {
			return err
		}
		defer workers[n].client.Close()
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, w := range workers {
		group.Go(func() error { return w.run(ctx) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	all := newTallies()
	for _, w := range workers {
		all.merge(w.out)
	}
	usage, err := m.read()
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(FloorResult{Usage: usage, Sums: all.sums()})
}

func (t *tallies) sums() Sums {
	s := Sums{Series: t.used}
	var nanos uint64
	for _, x := range t.slots {
		s.Spans += int64(x.count)
		s.Failed += int64(x.failed)
		nanos += x.nanos
		s.Total += x.sum
	}
	s.Total += float64(nanos) / 1e9
	return s
}

// floorWorker reads its share of the partitions.
type floorWorker struct {
	client *kgo.Client
	left   int64 // records
	walk   recordWalker
	out    *tallies
}

func newFloorWorker(t Task, n int, seed maphash.Seed, hook kgo.Hook) (*floorWorker, error) {
	w := &floorWorker{out: newTallies()}
	w.walk = workloads[t.Workload].walk(seed, w.out)
	partitions := map[int32]kgo.Offset{}
	for p := n; p < t.Partitions; p += t.Workers {
		partitions[int32(p)] = kgo.NewOffset().AtStart()
		w.left += t.Records[p]
	}
	var err error
	w.client, err = kgo.NewClient(append(slices.Concat(kafka.FetchOptions(), kafka.RecycledFetches()),
		kgo.SeedBrokers(t.Brokers...),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{t.Topic: partitions}),
		kgo.WithHooks(hook),
	)...)
	if err != nil {
		return nil, fmt.Errorf("cannot reach Kafka: %w", err)
	}
	return w, nil
}

func (w *floorWorker) run(ctx context.Context) error {
	for w.left > 0 {
		fetches := w.client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return fmt.Errorf("cannot fetch: %w", err)
		}
		var failed error
		fetches.EachPartition(func(p kgo.FetchTopicPartition) {
			for _, r := range p.Records {
				if err := w.walk.record(r.Value); err != nil {
					failed = err
				}
				r.Recycle()
			}
			w.left -= int64(len(p.Records))
		})
		if failed != nil {
			return failed
		}
	}
	return nil
}
