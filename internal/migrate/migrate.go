// Package migrate is `flyball migrate`: the tables of ClickHouse, applied or printed.
package migrate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/config/spec"
	"github.com/flyball-io/flyball/internal/connect"
	"github.com/flyball-io/flyball/sinks/clickhouse"
	"github.com/flyball-io/flyball/sinks/clickhouse/cluster"
)

// options are the flags.
type options struct {
	dir, dsn, output  string
	cluster, database string
	dryRun            bool
}

// Command returns `flyball migrate`. usage makes an error one of usage or configuration,
// exit one that prints nothing.
func Command(usage func(error) error, exit func(code int) error) *cobra.Command {
	o := &options{}
	c := &cobra.Command{
		Use:   "migrate (--config DIR | --clickhouse DSN)",
		Short: "Create or update the tables of ClickHouse, or print what would be done",
		Long: `Apply the migrations that ClickHouse does not have yet, in order. flyball run does the
same when it starts; do it here where that user may not create tables, or where somebody
reads the SQL first. What was applied is never changed, and doing it twice is once.

With --dry-run the SQL is printed. Whoever runs it by other means lets flyball migrate
note that afterwards: a statement whose work is done does nothing.`,
		Example: `  flyball migrate --config ./config
  flyball migrate --config ./config --dry-run >pending.sql
  flyball migrate --cluster prod --dry-run >schema.sql
  flyball migrate status --clickhouse http://127.0.0.1:8123/flyball
  flyball migrate status --config ./config -o json | jq -r 'select(.state=="pending") | .name'`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if o.cluster != "" && !o.dryRun {
				return usage(errors.New("the tables of a cluster are made by whoever may do so on all of its nodes: add --dry-run, and run what is printed"))
			}
			if o.cluster != "" && o.dir == "" && o.dsn == "" { // nobody is asked what there is
				return o.printScript(c.OutOrStdout(), o.database, clickhouse.Migrations())
			}
			return o.with(c.Context(), usage, func(ctx context.Context, db *clickhouse.DB) error {
				switch {
				case o.cluster != "":
					return o.script(ctx, c.OutOrStdout(), db)
				case o.dryRun:
					return o.print(ctx, c.OutOrStdout(), db)
				}
				return o.apply(ctx, c.OutOrStdout(), db)
			})
		},
	}
	f := c.PersistentFlags()
	f.StringVar(&o.dir, "config", "", "configuration directory")
	f.StringVar(&o.dsn, "clickhouse", "", "DSN of the ClickHouse, instead of that of a configuration")
	f.StringVarP(&o.output, "output", "o", "text", "output format: text, or json, one object per line")
	c.Flags().StringVar(&o.cluster, "cluster", "", "print it for this cluster of shards and replicas, as remote_servers names it; with --dry-run")
	c.Flags().StringVar(&o.database, "database", clickhouse.DefaultDatabase, "with --cluster alone: the database, whose migrations are all printed")
	c.Flags().BoolVar(&o.dryRun, "dry-run", false, "change nothing: print the SQL of what is pending")
	c.AddCommand(o.status(usage, exit))
	return c
}

func (o *options) status(usage func(error) error, exit func(int) error) *cobra.Command {
	return &cobra.Command{
		Use:   "status (--config DIR | --clickhouse DSN)",
		Short: "Say which migrations the database has",
		Long: `Say which migrations the database has, and change nothing.

Exit code 0: all that this version knows. 1: some are pending, or one was applied with
another text.`,
		Example: `  flyball migrate status --config ./config`,
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return o.with(c.Context(), usage, func(ctx context.Context, db *clickhouse.DB) error {
				list, err := db.MigrationStates(ctx)
				if err != nil {
					return err
				}
				complete, err := o.show(c.OutOrStdout(), list)
				if err == nil && !complete {
					return exit(1)
				}
				return err
			})
		},
	}
}

// with opens the database.
func (o *options) with(ctx context.Context, usage func(error) error, do func(context.Context, *clickhouse.DB) error) (err error) {
	if o.output != "text" && o.output != "json" {
		return usage(fmt.Errorf("unknown output format %q; want text or json", o.output))
	}
	if (o.dir == "") == (o.dsn == "") {
		return usage(errors.New("say which database: either --config or --clickhouse"))
	}
	server := spec.ClickHouse{DSN: spec.Secret(o.dsn)}
	if o.dir != "" {
		cfg, err := config.Load(o.dir)
		if err != nil {
			return usage(err)
		}
		if server = cfg.Pipeline.ClickHouse; server.DSN == "" {
			return usage(errors.New("the configuration has no clickhouse.dsn; set it, or give --clickhouse"))
		}
	}
	db, err := connect.ClickHouse(server)
	if err != nil {
		return usage(err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	return do(ctx, db)
}

// row is a migration as JSON shows it.
type row struct {
	Version   uint32     `json:"version"`
	Name      string     `json:"name"`
	State     string     `json:"state"`
	AppliedAt *time.Time `json:"applied_at,omitempty"`
}

func rowOf(s *clickhouse.MigrationState) row {
	r := row{Version: s.Version, Name: s.Name, State: "applied", AppliedAt: &s.AppliedAt}
	switch {
	case s.Unknown:
		r.State = "of a newer version"
	case s.AppliedAt.IsZero():
		r.State, r.AppliedAt = "pending", nil
	case s.Changed:
		r.State = "changed since it was applied"
	}
	return r
}

// show shows all, and reports whether the database has what it should.
func (o *options) show(w io.Writer, list []clickhouse.MigrationState) (complete bool, err error) {
	table := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	complete = true
	for i := range list {
		r := rowOf(&list[i])
		complete = complete && r.State != "pending" && !list[i].Changed
		if o.output == "json" {
			if err := json.NewEncoder(w).Encode(r); err != nil {
				return complete, err
			}
			continue
		}
		at := "-"
		if r.AppliedAt != nil {
			at = r.AppliedAt.UTC().Format(time.RFC3339)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", r.Name, r.State, at)
	}
	return complete, table.Flush()
}

// print prints the SQL of what is pending.
func (o *options) print(ctx context.Context, w io.Writer, db *clickhouse.DB) error {
	list, err := db.MigrationStates(ctx)
	if err != nil {
		return err
	}
	first := true
	for _, s := range list {
		if !s.AppliedAt.IsZero() {
			continue
		}
		if first && o.output == "text" {
			fmt.Fprintln(w, db.DatabaseSQL())
		}
		first = false
		sql := s.Script(db.Name())
		if o.output == "json" {
			err = json.NewEncoder(w).Encode(map[string]any{"version": s.Version, "name": s.Name, "sql": sql})
		} else {
			_, err = fmt.Fprintf(w, "-- %s\n%s\n", s.Name, sql)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// script prints what is pending for a cluster: to be run once, on any node.
func (o *options) script(ctx context.Context, w io.Writer, db *clickhouse.DB) error {
	list, err := db.MigrationStates(ctx)
	if err != nil {
		return err
	}
	var pending []clickhouse.Migration
	for _, s := range list {
		if s.AppliedAt.IsZero() {
			pending = append(pending, s.Migration)
		}
	}
	return o.printScript(w, db.Name(), pending)
}

func (o *options) printScript(w io.Writer, database string, list []clickhouse.Migration) error {
	text, err := cluster.Target{Cluster: o.cluster, Database: database}.Script(list)
	if err == nil && o.output == "json" {
		return json.NewEncoder(w).Encode(map[string]any{"cluster": o.cluster, "sql": text})
	}
	if err == nil {
		_, err = io.WriteString(w, text)
	}
	return err
}

func (o *options) apply(ctx context.Context, w io.Writer, db *clickhouse.DB) error {
	done, err := db.Migrate(ctx)
	for _, m := range done { // also those before one that failed
		if o.output == "json" {
			_ = json.NewEncoder(w).Encode(row{Version: m.Version, Name: m.Name, State: "applied"}) // stdout that went away shows below
			continue
		}
		fmt.Fprintf(w, "applied %s\n", m.Name)
	}
	if err == nil && len(done) == 0 && o.output == "text" {
		_, err = fmt.Fprintln(w, "nothing to do: the database has all migrations")
	}
	return err
}
