package dev

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/examples"
	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/dev/telemetry"
	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

// listExamples prints the examples and what happens in them.
func listExamples(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, name := range examples.Names() {
		cfg, err := loadConfig(name)
		if err != nil {
			return err
		}
		s, err := exampleStory(name, cfg)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%s\t%s\n", name, s.Opening)
	}
	return w.Flush()
}

func exampleStory(name string, cfg *config.Config) (*telemetry.Story, error) {
	text, err := examples.Files.ReadFile(name + "/telemetry")
	if err != nil {
		return nil, err
	}
	return telemetry.Parse(text, cfg.Sources)
}

// exampleWorld plays the telemetry of an example. Its clock runs ahead of the wall's
// until it has come to the present.
type exampleWorld struct {
	story  *telemetry.Story
	player *telemetry.Player
	topics sinkkafka.Topics
	// asked has the operations that wait for approval.
	asked chan *flyball.Decision
	// tell tells what begins and ends, config is the directory of the configuration.
	tell   func(line)
	config string
	over   bool
	// answered has the operations that went on after they had waited.
	answered sync.Map
}

func newExample(cfg *config.Config, o Options, st *story) (*exampleWorld, error) {
	s, err := exampleStory(o.Example, cfg)
	if err != nil {
		return nil, err
	}
	w := &exampleWorld{story: s, topics: st.topics, asked: make(chan *flyball.Decision, 16), tell: st.tell, config: configDir(o)}
	w.player = telemetry.NewPlayer(s, cfg.Sources, time.Now(), func(at time.Time, text string) {
		st.tell(line{Type: "scene", At: flyball.TimeOf(at), Text: text, Data: map[string]any{"text": text}})
	})
	st.counted, st.from = "%d samples in %d series, %d bad", flyball.TimeOf(w.player.IncidentAt())
	st.judged, st.decided = w.player.Progress, w.decided
	st.tell(line{Type: "scene", At: flyball.TimeOf(w.player.Now()), Text: s.Opening, Data: map[string]any{"text": s.Opening, "example": o.Example}})
	return w, nil
}

func (w *exampleWorld) now() time.Time { return w.player.Now() }

func (w *exampleWorld) remedy(cmd *flyball.Command) (string, error) { return w.player.Remedy(cmd) }

// decided is told of every decision.
func (w *exampleWorld) decided(d *flyball.Decision) {
	if d.Verb == flyball.VerbEffective && d.Action.Name == w.story.Remedy && !w.over {
		w.over = true
		text := fmt.Sprintf("That it helped is verified, and the story is over. Why it was done: flyball explain --config %s %s", w.config, d.Operation)
		w.tell(line{Type: "scene", At: d.At, Text: text, Data: map[string]any{"text": text, "over": true}})
	}
	if d.Verb != flyball.VerbAwait || w.story.Approve == 0 {
		w.answered.Store(d.Operation, true)
		return
	}
	select {
	case w.asked <- d:
	default: // so many are not answered
	}
}

func (w *exampleWorld) run(ctx context.Context, brokers []string) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(5*time.Millisecond))
	if err != nil {
		return fmt.Errorf("cannot make a Kafka client: %w", err)
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	for topic, n := range w.story.Partitions() {
		if _, err := admin.CreateTopic(ctx, n, 1, nil, topic); err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
			return fmt.Errorf("cannot create topic %q: %w", topic, err)
		}
	}
	failed := make(chan error, 1)
	go w.approve(ctx, client)
	return w.player.Run(ctx, func(r *kgo.Record) error {
		client.Produce(ctx, r, func(_ *kgo.Record, err error) {
			if err != nil {
				select {
				case failed <- err:
				default:
				}
			}
		})
		select {
		case err := <-failed:
			return fmt.Errorf("cannot send telemetry: %w", err)
		default:
			return nil
		}
	})
}

// approve is the colleague who approves when nobody else has.
func (w *exampleWorld) approve(ctx context.Context, client *kgo.Client) {
	for {
		var d *flyball.Decision
		select {
		case <-ctx.Done():
			return
		case d = <-w.asked:
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(w.story.Approve):
		}
		if _, answered := w.answered.Load(d.Operation); answered {
			continue
		}
		id := make([]byte, 16)
		rand.Read(id) // it never fails
		r, err := sinkkafka.Encoder{Topics: w.topics, Source: "/flyball/dev"}.Control(&flyball.Control{
			ID: hex.EncodeToString(id), Kind: flyball.ControlApprove, At: flyball.TimeOf(w.player.Now()),
			Who: "simulated colleague", Why: "nobody has said that it is needed", Operation: d.Operation,
		})
		if err == nil {
			client.Produce(ctx, r, nil)
		}
	}
}
