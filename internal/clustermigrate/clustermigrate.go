// Package clustermigrate is `flyball migrate --cluster`: the tables of ClickHouse for a
// cluster of shards and replicas, as SQL.
package clustermigrate

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/flyball-io/flyball/sinks/clickhouse"
	"github.com/flyball-io/flyball/sinks/clickhouse/cluster"
)

// Command returns the command. usage makes an error one of usage.
func Command(usage func(error) error) *cobra.Command {
	var target cluster.Target
	var dryRun bool
	c := &cobra.Command{
		Use:   "migrate --cluster NAME --dry-run",
		Short: "Print the tables of ClickHouse for a cluster of shards and replicas",
		Long: `Print the migrations of ClickHouse as SQL for a cluster, to be run once on any of its
nodes. What was done is not done again: the same SQL may be run with every version.

The servers must know the cluster (remote_servers) and have the macros {shard} and
{replica}.`,
		Example: `  flyball migrate --cluster prod --dry-run >schema.sql
  clickhouse-client --multiquery <schema.sql`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if target.Cluster == "" || !dryRun {
				return usage(errors.New("say which cluster, and that SQL is to be printed: --cluster NAME --dry-run"))
			}
			script, err := target.Script(clickhouse.Migrations())
			if err != nil {
				return err
			}
			_, err = fmt.Fprint(c.OutOrStdout(), script)
			return err
		},
	}
	c.Flags().StringVar(&target.Cluster, "cluster", "", "name of the cluster in remote_servers (required)")
	c.Flags().StringVar(&target.Database, "database", "flyball", "name of the database")
	c.Flags().BoolVar(&dryRun, "dry-run", false, "print the SQL, and change nothing")
	return c
}
