// Package tail is `flyball tail`: it follows what comes out of Flyball on its topics, as
// it comes.
package tail

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/config/strictyaml"
	"github.com/flyball-io/flyball/internal/connect"
	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

// tailRecords is how many records of each partition are looked through for the last lines.
const tailRecords = 10_000

// maxLines is beyond how many lines those that will not be shown are let go.
const maxLines = 10_000

// options are the flags.
type options struct {
	dir, output       string
	service, severity string
	since             time.Duration
	last              int
	follow            bool
}

// Command returns `flyball tail`. usage makes an error one of usage or configuration.
func Command(usage func(error) error) *cobra.Command {
	o := &options{}
	var names []string
	var about strings.Builder
	for _, k := range kinds() {
		names = append(names, k.name)
		fmt.Fprintf(&about, "  %-11s %s\n", k.name, k.short)
	}
	c := &cobra.Command{
		Use:   "tail KIND --config DIR",
		Short: "Follow findings, decisions, commands and the like as they come",
		Long: `Show the last lines of what comes out of Flyball, and follow it until Ctrl-C. KIND is

` + about.String() + `
What is shown is committed: what was taken back is not. No consumer group is joined.`,
		Example: `  flyball tail findings --config ./config --severity page
  flyball tail decisions --config ./config --service checkout --since 10m
  flyball tail commands --config ./config -o json | jq -r '[.at, .data.target] | @tsv'
  flyball tail deadletter --config ./config -n 5 --follow=false`,
		ValidArgs: names,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage(fmt.Errorf("say what to follow, one of %s; see flyball tail --help", strings.Join(names, ", ")))
			}
			if !slices.Contains(names, args[0]) {
				return usage(fmt.Errorf("unknown kind %q: %s", args[0], strictyaml.DidYouMean(args[0], names)))
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			k := kinds()[slices.Index(names, args[0])]
			if err := o.check(c, k); err != nil {
				return usage(err)
			}
			cfg, err := config.Load(o.dir)
			if err != nil {
				return usage(err)
			}
			return o.run(c.Context(), cfg, k, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	f := c.Flags()
	f.StringVar(&o.dir, "config", "", "configuration directory (required)")
	f.StringVar(&o.service, "service", "", "only what is about this service, or a target that ends in it")
	f.StringVar(&o.severity, "severity", "", "only findings of this severity: page, ticket or info")
	f.DurationVar(&o.since, "since", 0, "begin with what is at most so old, in event time; default the last lines")
	f.IntVarP(&o.last, "lines", "n", 10, "how many lines to begin with; with --since all, unless you say")
	f.BoolVar(&o.follow, "follow", true, "go on with what comes; --follow=false ends where the topic ends now")
	f.StringVarP(&o.output, "output", "o", "text", "output format: text, or json, one object per line")
	_ = c.MarkFlagRequired("config") // the flag exists
	return c
}

func (o *options) check(c *cobra.Command, k kind) error {
	switch {
	case o.output != "text" && o.output != "json":
		return fmt.Errorf("unknown output format %q; want text or json", o.output)
	case o.service != "" && !k.services:
		return fmt.Errorf("%s are about no service; drop --service", k.name)
	case o.severity != "" && !k.severities:
		return fmt.Errorf("%s have no severity; drop --severity", k.name)
	case o.severity != "" && !slices.Contains([]string{"page", "ticket", "info"}, o.severity):
		return fmt.Errorf("unknown severity %q; want page, ticket or info", o.severity)
	case o.last < 0 || o.since < 0:
		return errors.New("--lines and --since cannot be negative")
	}
	if o.since > 0 && !c.Flags().Changed("lines") {
		o.last = math.MaxInt
	}
	return nil
}

// partition is one of the topic.
type partition = int32

// run shows the last lines, and follows.
func (o *options) run(ctx context.Context, cfg *config.Config, k kind, out, talk io.Writer) error {
	topic := k.topic(sinkkafka.Topics{Prefix: cfg.Pipeline.Kafka.TopicPrefix})
	from, left, err := o.extent(ctx, cfg, topic)
	if err != nil {
		return quiet(ctx, err)
	}
	cl, err := connect.Client(cfg, cfg.Pipeline.Kafka.ClientID+"-tail", kgo.ConsumePartitions(map[string]map[partition]kgo.Offset{topic: from}),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords())
	if err != nil {
		return err
	}
	defer cl.Close()
	var begin []line
	for caughtUp := false; ; {
		if len(left) == 0 && !caughtUp {
			caughtUp = true
			slices.SortStableFunc(begin, func(a, b line) int { return cmp.Compare(a.At, b.At) })
			if err := o.show(out, begin[max(0, len(begin)-o.last):]); err != nil || !o.follow {
				return err
			}
			begin = nil
		}
		fetches := cl.PollFetches(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err := fetches.Err(); err != nil {
			return fmt.Errorf("cannot read topic %q: %w", topic, err)
		}
		for it := fetches.RecordIter(); !it.Done(); {
			r := it.Next()
			lines := o.wanted(k, r, talk)
			for i := range lines {
				lines[i].Place = fmt.Sprintf("%s/%d@%d", r.Topic, r.Partition, r.Offset)
			}
			if end, early := left[r.Partition]; early {
				begin = append(begin, lines...)
				if r.Offset+1 >= end {
					delete(left, r.Partition)
				}
			} else if err := o.show(out, lines); err != nil {
				return err
			}
		}
		if o.last < maxLines && len(begin) > o.last+maxLines { // only the latest are shown
			slices.SortStableFunc(begin, func(a, b line) int { return cmp.Compare(a.At, b.At) })
			begin = slices.Clone(begin[len(begin)-o.last:])
		}
	}
}

// quiet hides an error that is that of being ended.
func quiet(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// extent returns from where to read each partition, and the ends of those that have
// something before the present end.
func (o *options) extent(ctx context.Context, cfg *config.Config, topic string) (from map[partition]kgo.Offset, left map[partition]int64, err error) {
	cl, err := connect.Client(cfg, cfg.Pipeline.Kafka.ClientID+"-tail")
	if err != nil {
		return nil, nil, err
	}
	defer cl.Close()
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	admin := kadm.NewClient(cl)
	ends, err := admin.ListCommittedOffsets(ctx, topic)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return nil, nil, fmt.Errorf("cannot find the end of topic %q: %w", topic, err)
	}
	begins, err := admin.ListStartOffsets(ctx, topic)
	if o.since > 0 && err == nil {
		begins, err = admin.ListOffsetsAfterMilli(ctx, time.Now().Add(-o.since).UnixMilli(), topic)
	}
	if err == nil {
		err = begins.Error()
	}
	if err != nil {
		return nil, nil, fmt.Errorf("cannot find the start of topic %q: %w", topic, err)
	}
	from, left = map[partition]kgo.Offset{}, map[partition]int64{}
	ends.Each(func(e kadm.ListedOffset) {
		begin := e.Offset
		if b, ok := begins.Lookup(topic, e.Partition); ok && o.last > 0 {
			begin = min(b.Offset, e.Offset)
		}
		if o.since == 0 {
			begin = max(begin, e.Offset-tailRecords)
		}
		from[e.Partition] = kgo.NewOffset().At(begin)
		if begin < e.Offset {
			left[e.Partition] = e.Offset
		}
	})
	return from, left, nil
}

// wanted returns the lines of a record that pass the filters.
func (o *options) wanted(k kind, r *kgo.Record, talk io.Writer) []line {
	if r.Attrs.IsControl() {
		return nil
	}
	lines, err := k.read(r)
	if err != nil {
		fmt.Fprintf(talk, "cannot read %s/%d@%d: %v\n", r.Topic, r.Partition, r.Offset, err)
		return nil
	}
	oldest := flyball.NoTime
	if o.since > 0 {
		oldest = flyball.TimeOf(time.Now().Add(-o.since))
	}
	return slices.DeleteFunc(lines, func(l line) bool {
		return o.service != "" && !l.about(o.service) || o.severity != "" && l.severity != o.severity || l.At < oldest
	})
}

func (o *options) show(w io.Writer, lines []line) error {
	now := time.Now()
	for _, l := range lines {
		var err error
		if o.output == "json" {
			enc := json.NewEncoder(w)
			enc.SetEscapeHTML(false)
			err = enc.Encode(l)
		} else {
			_, err = fmt.Fprintf(w, "%s  %s\n", clock(l.At, now), l.text)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
