package deadletters

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/connect"
)

// options are the flags that the commands share.
type options struct {
	dir, format string
	filter      filter
	since       time.Duration
}

// Command returns `flyball deadletter`. usage makes an error one of usage or
// configuration.
func Command(usage func(error) error) *cobra.Command {
	o := &options{}
	c := &cobra.Command{
		Use:   "deadletter --config DIR",
		Short: "Show what could not be used, why, and give it back",
		Long: `Show what is in the dead-letter topic: how much by stage and reason, with an example
of each. list shows the letters, show one of them whole, and requeue gives records back
to the topics that they came from, once the cause is mended.`,
		Example: `  flyball deadletter --config ./config --since 24h
  flyball deadletter list --config ./config --reason malformed
  flyball deadletter show --config ./config 0/17
  flyball deadletter requeue --config ./config --reason malformed --yes`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return o.with(usage, nil, func(cfg *config.Config) error { return o.summary(c, cfg) })
		},
	}
	c.PersistentFlags().StringVar(&o.dir, "config", "", "configuration directory (required)")
	c.PersistentFlags().StringVarP(&o.format, "output", "o", "text", "output format: text or json")
	c.PersistentFlags().StringVar(&o.filter.stage, "stage", "", "only what this role gave up")
	c.PersistentFlags().StringVar(&o.filter.reason, "reason", "", "only what was given up for this reason")
	c.PersistentFlags().StringVar(&o.filter.topic, "topic", "", "only what came from this topic")
	c.PersistentFlags().DurationVar(&o.since, "since", 0, "only what was given up so long ago at most; 0 is all")
	_ = c.MarkPersistentFlagRequired("config") // the flag exists
	c.AddCommand(o.list(usage), o.show(usage), o.requeue(usage))
	return c
}

// with loads the configuration, and reads the filter from the flags and places.
func (o *options) with(usage func(error) error, places []string, f func(*config.Config) error) error {
	if o.format != "text" && o.format != "json" {
		return usage(fmt.Errorf("unknown output format %q; want text or json", o.format))
	}
	var err error
	if o.filter.places, err = parsePlaces(places); err != nil {
		return usage(err)
	}
	if o.since > 0 {
		o.filter.since = time.Now().Add(-o.since)
	}
	cfg, err := config.Load(o.dir)
	if err != nil {
		return usage(err)
	}
	return f(cfg)
}

// row is a letter as JSON shows it.
type row struct {
	Place   string    `json:"place"`
	At      time.Time `json:"at"`
	Stage   string    `json:"stage"`
	Reason  string    `json:"reason"`
	Message string    `json:"message"`
	// Source is where the record was, topic/partition@offset; not there for a part of one.
	Source string `json:"source,omitempty"`
	Bytes  int    `json:"bytes"`
}

func rowOf(l *letter) row {
	r := row{Place: l.place(), At: l.At.UTC(), Stage: l.Stage, Reason: l.Reason, Message: l.Message, Bytes: len(l.Record.Value)}
	if l.Record.Topic != "" {
		r.Source = fmt.Sprintf("%s/%d@%d", l.Record.Topic, l.Record.Partition, l.Record.Offset)
	}
	return r
}

// group is the letters of one stage and reason.
type group struct {
	Stage   string    `json:"stage"`
	Reason  string    `json:"reason"`
	Count   int       `json:"count"`
	First   time.Time `json:"first"`
	Last    time.Time `json:"last"`
	Example row       `json:"example"`
}

func (o *options) summary(c *cobra.Command, cfg *config.Config) error {
	groups := map[[2]string]*group{}
	err := read(c.Context(), cfg, o.filter, func(l *letter) error {
		key := [2]string{l.Stage, l.Reason}
		g := groups[key]
		if g == nil {
			g = &group{Stage: l.Stage, Reason: l.Reason, First: l.At.UTC()}
			groups[key] = g
		}
		g.Count++
		g.Last, g.Example = l.At.UTC(), rowOf(l)
		return nil
	})
	if err != nil {
		return err
	}
	list := make([]*group, 0, len(groups))
	for _, g := range groups {
		list = append(list, g)
	}
	slices.SortFunc(list, func(a, b *group) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Stage, b.Stage), cmp.Compare(a.Reason, b.Reason))
	})
	if o.format == "json" {
		return json.NewEncoder(c.OutOrStdout()).Encode(list)
	}
	if len(list) == 0 {
		fmt.Fprintln(c.OutOrStdout(), "no dead letters")
		return nil
	}
	w := tabwriter.NewWriter(c.OutOrStdout(), 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "COUNT\tSTAGE\tREASON\tLAST\tEXAMPLE\tMESSAGE")
	for _, g := range list {
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\n", g.Count, g.Stage, g.Reason, g.Last.Format(time.RFC3339), g.Example.Place, g.Example.Message)
	}
	return w.Flush()
}

var errEnough = errors.New("enough")

func (o *options) list(usage func(error) error) *cobra.Command {
	limit := 100
	c := &cobra.Command{
		Use: "list --config DIR", Short: "List dead letters", Args: cobra.NoArgs,
		Example: "  flyball deadletter list --config ./config --stage aggregate --since 1h",
		RunE: func(c *cobra.Command, _ []string) error {
			return o.with(usage, nil, func(cfg *config.Config) error {
				n := 0
				w := tabwriter.NewWriter(c.OutOrStdout(), 0, 4, 2, ' ', 0)
				err := read(c.Context(), cfg, o.filter, func(l *letter) error {
					if n++; limit > 0 && n > limit {
						return errEnough
					}
					if o.format == "json" {
						return json.NewEncoder(c.OutOrStdout()).Encode(rowOf(l))
					}
					r := rowOf(l)
					_, err := fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", r.Place, r.At.Format(time.RFC3339), r.Stage, r.Reason, cmp.Or(r.Source, "-"), r.Message)
					return err
				})
				if errors.Is(err, errEnough) {
					fmt.Fprintf(c.ErrOrStderr(), "there are more than %d; see --limit\n", limit)
					err = nil
				}
				return errors.Join(err, w.Flush())
			})
		},
	}
	c.Flags().IntVar(&limit, "limit", limit, "most letters to show; 0 is all")
	return c
}

func (o *options) show(usage func(error) error) *cobra.Command {
	return &cobra.Command{
		Use: "show --config DIR PARTITION/OFFSET", Short: "Show one dead letter: its value as it is on stdout, the rest on stderr",
		Example: "  flyball deadletter show --config ./config 0/17 >record.bin",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return o.with(usage, args, func(cfg *config.Config) error {
				found := false
				err := read(c.Context(), cfg, o.filter, func(l *letter) error {
					found = true
					return show(c.OutOrStdout(), c.ErrOrStderr(), l)
				})
				if err == nil && !found {
					err = fmt.Errorf("there is no dead letter %s", args[0])
				}
				return err
			})
		},
	}
}

func show(out, talk io.Writer, l *letter) error {
	r := rowOf(l)
	fmt.Fprintf(talk, "%s  %s  %s: %s\n%s\n", r.Place, r.At.Format(time.RFC3339), r.Stage, r.Reason, r.Message)
	if r.Source != "" {
		fmt.Fprintf(talk, "from %s, key %q\n", r.Source, l.Record.Key)
	}
	for _, h := range l.Record.Headers {
		fmt.Fprintf(talk, "header %s: %q\n", h.Key, h.Value)
	}
	_, err := out.Write(l.Record.Value)
	return err
}

func (o *options) requeue(usage func(error) error) *cobra.Command {
	yes := false
	c := &cobra.Command{
		Use: "requeue --config DIR [PARTITION/OFFSET…]", Short: "Give records back to the topics of sources that they came from",
		Long: `Give records back to the topics of sources that they came from: as they came, to the
partition that they had. Without --yes it only says what it would do.

The letters stay where they are: given back twice, a sample is counted twice. What was
late is late again.`,
		Example: `  flyball deadletter requeue --config ./config --reason malformed --since 2h
  flyball deadletter requeue --config ./config --yes 0/17 0/18`,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 && o.filter.reason == "" {
				return usage(errors.New("say which: by place, or by --reason"))
			}
			return o.with(usage, args, func(cfg *config.Config) error { return o.giveBack(c, cfg, yes) })
		},
	}
	c.Flags().BoolVar(&yes, "yes", false, "do it")
	return c
}

func (o *options) giveBack(c *cobra.Command, cfg *config.Config, yes bool) error {
	cl, err := connect.Client(cfg, clientID(cfg), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		return err
	}
	defer cl.Close()
	given, kept := 0, map[string]int{}
	var batch []*kgo.Record
	flush := func() error {
		if err := cl.ProduceSync(c.Context(), batch...).FirstErr(); err != nil {
			return fmt.Errorf("cannot give back all: %w; %d were given before", err, given)
		}
		given += len(batch)
		batch = batch[:0]
		return nil
	}
	err = read(c.Context(), cfg, o.filter, func(l *letter) error {
		if why := stays(cfg, l); why != "" {
			kept[why]++
			return nil
		}
		if batch = append(batch, back(l)); !yes {
			given, batch = given+1, batch[:0]
			return nil
		}
		if len(batch) < 500 {
			return nil
		}
		return flush()
	})
	if err == nil && len(batch) > 0 {
		err = flush()
	}
	for why, n := range kept {
		fmt.Fprintf(c.ErrOrStderr(), "%d stay: %s\n", n, why)
	}
	if err != nil {
		return err
	}
	if !yes {
		fmt.Fprintf(c.OutOrStdout(), "%d would be given back; do it with --yes\n", given)
		return nil
	}
	fmt.Fprintf(c.OutOrStdout(), "%d were given back\n", given)
	return nil
}
