//go:build synctests

package crash

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball/processors"
	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

var topics = sinkkafka.Topics{Prefix: "fb."}

// configRevision is what decisions of the same rules may differ in.
var configRevision = regexp.MustCompile(`"config_revision":"[0-9a-f]+",`)

// results is all that a run came to, as others see it: what readers of committed
// records get. It maps what identifies a result to all that it says.
type results map[string]string

// reader collects results as they come.
type reader struct {
	w       *world
	client  *kgo.Client
	got     results
	doubles []string
	wrong   []string
}

func (w *world) reader() *reader {
	w.t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers("127.0.0.1:9092"), kgo.Dialer(w.network.DialContext),
		kgo.ConsumeTopics(topics.Windows(), topics.SLO(), topics.Findings(), topics.Decisions(), topics.Commands(), topics.DeadLetters()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.UnknownTopicRetries(-1),
		kgo.MetadataMinAge(time.Second), kgo.MetadataMaxAge(2*time.Second))
	if err != nil {
		w.t.Fatal(err)
	}
	return &reader{w: w, client: client, got: results{}}
}

// poll reads on for a while.
func (r *reader) poll(d time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	for ctx.Err() == nil {
		r.client.PollFetches(ctx).EachRecord(r.add)
	}
}

func (r *reader) add(rec *kgo.Record) {
	if sinkkafka.IsWatermark(rec) {
		return // how many there are depends on what came in one transaction
	}
	switch rec.Topic {
	case topics.Windows():
		r.rows("window", rec, "indicator", "labels", "start", "revision")
	case topics.SLO():
		r.rows("slo", rec, "slo", "entity", "at")
	case topics.DeadLetters():
		d, err := sinkkafka.ReadDeadLetter(rec)
		if err != nil {
			r.fail("dead letter at %d: %v", rec.Offset, err)
			return
		}
		// Where in the source it was differs between runs with other partitions.
		r.put(fmt.Sprintf("dead letter %s %s %s", d.Stage, d.Reason, d.Record.Value), d.Message)
	default:
		name := strings.TrimSuffix(strings.TrimPrefix(rec.Topic, topics.Prefix), "s")
		r.put(name+" "+sinkkafka.Header(rec, sinkkafka.HeaderID), string(rec.Key)+" "+configRevision.ReplaceAllString(string(rec.Value), ""))
	}
}

// rows adds the rows of a block.
func (r *reader) rows(kind string, rec *kgo.Record, identity ...string) {
	block, err := processors.DecodeRecord(rec.Value)
	if err != nil {
		r.fail("%s at %d/%d: %v", kind, rec.Partition, rec.Offset, err)
		return
	}
	defer block.Release()
	for i := range int(block.NumRows()) {
		id, value := []string{kind}, []string{}
		for c, f := range block.Schema().Fields() {
			text := block.Column(c).ValueStr(i)
			if slices.Contains(identity, f.Name) {
				id = append(id, text)
			} else {
				value = append(value, f.Name+"="+text)
			}
		}
		r.put(strings.Join(id, " "), strings.Join(value, " "))
	}
}

func (r *reader) put(id, value string) {
	if _, twice := r.got[id]; twice {
		r.doubles = append(r.doubles, id)
	}
	r.got[id] = value
}

func (r *reader) fail(format string, args ...any) {
	r.wrong = append(r.wrong, fmt.Sprintf(format, args...))
}

// has says whether everything wanted is there, whatever it says.
func (r *reader) has(want results) bool {
	for id := range want {
		if _, ok := r.got[id]; !ok {
			return false
		}
	}
	return true
}

// compare returns what is wrong, "" for nothing.
func (r *reader) compare(want results) string {
	var list []string
	list = append(list, r.wrong...)
	for _, id := range r.doubles {
		list = append(list, "twice: "+id)
	}
	for _, id := range slices.Sorted(maps.Keys(want)) {
		if got, ok := r.got[id]; !ok {
			list = append(list, "missing: "+id)
		} else if got != want[id] {
			list = append(list, fmt.Sprintf("%s:\n   got %s\n  want %s", id, got, want[id]))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(r.got)) {
		if _, ok := want[id]; !ok {
			list = append(list, fmt.Sprintf("unexpected: %s: %s", id, r.got[id]))
		}
	}
	for i, text := range list {
		const longest = 600
		list[i] = text[:min(len(text), longest)]
	}
	const shown = 12
	if n := len(list); n > shown {
		list = append(list[:shown], fmt.Sprintf("and %d more", n-shown))
	}
	return strings.Join(list, "\n")
}

// kinds counts results by kind.
func (r results) kinds() map[string]int {
	out := map[string]int{}
	for id := range r {
		kind, _, _ := strings.Cut(id, " ")
		out[kind]++
	}
	return out
}
