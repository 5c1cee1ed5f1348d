package status

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/flyball-io/flyball/internal/automation"
	"github.com/flyball-io/flyball/internal/config"
)

// Command returns `flyball status`. usage makes an error one of usage or configuration,
// exit one that prints nothing.
func Command(usage func(error) error, exit func(code int) error) *cobra.Command {
	var dir, output string
	api := &API{}
	l := Limits{Shown: 5}
	c := &cobra.Command{
		Use:   "status (--api URL | --config DIR)",
		Short: "Say whether Flyball is healthy, and what is going on",
		Long: `Say in one screen whether Flyball is healthy, and what is going on: the roles and how
far behind they are, how far event time is behind the clock, open findings, what holds
automation, and the latest decisions.

With --api a running process is asked; lags and watermarks are those of that process
alone. With --config Kafka is asked: who is in the consumer groups, and how far they are.

Exit code 0: healthy. 1: not healthy, or it could not be asked. Open findings about your
services are no problem of Flyball's.`,
		Example: `  flyball status --api http://127.0.0.1:8686
  flyball status --config ./config
  flyball status --config ./config -o json | jq -r '.problems[]'
  until flyball status --api http://127.0.0.1:8686 >/dev/null; do sleep 5; done`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if output != "text" && output != "json" {
				return usage(fmt.Errorf("unknown output format %q; want text or json", output))
			}
			if (api.URL == "") == (dir == "") {
				return usage(errors.New("say whom to ask: either --api or --config; see flyball status --help"))
			}
			s, err := Ask(c.Context(), api, dir, l)
			if problem := (*config.Error)(nil); errors.As(err, &problem) {
				return usage(err)
			}
			if err != nil {
				return err
			}
			if output == "json" {
				err = json.NewEncoder(c.OutOrStdout()).Encode(s)
			} else {
				err = s.print(c.OutOrStdout())
			}
			if err == nil && !s.Healthy {
				return exit(1)
			}
			return err
		},
	}
	f := c.Flags()
	f.StringVar(&api.URL, "api", "", "address of a running process, such as http://127.0.0.1:8686")
	f.StringVar(&api.Token, "token", os.Getenv("FLYBALL_TOKEN"), "bearer token for --api; FLYBALL_TOKEN is the default")
	f.Lookup("token").DefValue = "" // it must not be in the help
	f.StringVar(&dir, "config", "", "configuration directory, whose Kafka is asked")
	f.DurationVar(&l.Delay, "max-delay", 5*time.Minute, "how far event time may be behind the clock")
	f.Int64Var(&l.Lag, "max-lag", 0, "how many records a role may be behind; 0 is any number")
	f.StringVarP(&output, "output", "o", "text", "output format: text or json")
	return c
}

// Ask asks a running process, or Kafka where dir is a configuration.
func Ask(ctx context.Context, api *API, dir string, l Limits) (*Status, error) {
	if api.URL != "" {
		ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
		defer cancel()
		return FromAPI(ctx, api, l)
	}
	cfg, err := config.Load(dir)
	if err != nil {
		return nil, err
	}
	return FromKafka(ctx, cfg, l)
}

// print shows people how it is.
func (s *Status) print(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	if s.Healthy {
		fmt.Fprintf(w, "healthy, as %s says\n", s.From)
	} else {
		fmt.Fprintf(w, "NOT HEALTHY, as %s says\n", s.From)
	}
	for _, p := range s.Problems {
		fmt.Fprintf(w, "  %s\n", p)
	}
	for _, m := range s.Missing {
		fmt.Fprintf(w, "  not known: %s\n", m)
	}
	if p := s.Process; p != nil && p.Version != "" {
		fmt.Fprintf(w, "process   flyball %s, up %v, roles %s\n", p.Version, s.At.Sub(p.StartedAt).Round(time.Second), strings.Join(p.Roles, ", "))
	}
	fmt.Fprintln(table)
	for _, r := range s.Roles {
		state := ""
		if r.Group != "" {
			state = fmt.Sprintf("%d members, %s", r.Members, strings.ToLower(cmp.Or(r.State, "no group")))
		}
		fmt.Fprintf(table, "role\t%s\t%d records behind\t%s\n", r.Role, r.Lag, state)
	}
	for _, x := range s.Sources {
		fmt.Fprintf(table, "source\t%s\tevent time %v behind the clock\t\n", x.Name, x.Delay.Round(100*time.Millisecond))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nautomation  %s, %d wait for approval, %d with unknown outcome\n", s.Automation.State, s.Automation.Waiting, s.Automation.Unknown)
	for _, h := range slices.Concat(s.Automation.Holds, s.Automation.Breakers) {
		fmt.Fprintf(w, "  %s\n", h)
	}
	fmt.Fprintf(w, "\nopen findings  %d page, %d ticket, %d info\n", s.Open["page"], s.Open["ticket"], s.Open["info"])
	for _, f := range s.Findings {
		fmt.Fprintf(w, "  %s  %-6s  %s  %s\n", f.OpenedAt, f.Severity, f.Entity, f.Summary)
	}
	if len(s.Decisions) > 0 {
		fmt.Fprintln(w, "\nlatest decisions")
	}
	for _, d := range s.Decisions {
		fmt.Fprintf(table, "  %s\t%s\t%s %s\tby %s\t%s\n", d.At, d.Verb, d.Action.Name, d.Target, d.Rule, automation.Because(&d))
	}
	return table.Flush()
}
