// Package debug is `flyball debug`: what those who help you want to see of an
// installation, in one file and without secrets.
package debug

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/flyball-io/flyball/internal/status"
)

// options are the flags of bundle.
type options struct {
	dir, out, admin string
	api             status.API
	cpu             time.Duration
	decisions       int
	version         string
}

// Command returns `flyball debug`. usage makes an error one of usage or configuration.
func Command(version string, usage func(error) error) *cobra.Command {
	c := &cobra.Command{
		Use:     "debug",
		Short:   "Collect what is needed to find out what is wrong with Flyball",
		Example: `  flyball debug bundle --config ./config --api http://127.0.0.1:8686`,
	}
	c.AddCommand(bundle(version, usage))
	return c
}

func bundle(version string, usage func(error) error) *cobra.Command {
	o := &options{version: version}
	c := &cobra.Command{
		Use:   "bundle --config DIR [--api URL] [--admin URL]",
		Short: "Write one archive with all that helps to find out what is wrong",
		Long: `Write a tar.gz with the version and how it was built, the configuration without its
secrets, what lint says, status, the latest decisions, the consumer groups and how far
they are, and the topics and their settings; with --api the metrics and the readiness of a
running process; with --admin its profiles (see flyball run --admin-listen).

What cannot be had is named in errors.txt, with the reason, and does not keep the rest
from being written. Read it before you give it away: names of services, topics and hosts
are in it.`,
		Example: `  flyball debug bundle --config ./config --api http://127.0.0.1:8686
  flyball debug bundle --config ./config --api http://127.0.0.1:8686 --admin http://127.0.0.1:6060 --cpu 10s --out flyball.tar.gz
  flyball debug bundle --config ./config --out - | tar tzf -`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if o.cpu < 0 || o.cpu > 5*time.Minute {
				return usage(errors.New("--cpu must be between 0 and 5m"))
			}
			if o.out == "" {
				o.out = "flyball-debug-" + time.Now().UTC().Format("20060102T150405Z") + ".tar.gz"
			}
			return o.write(c)
		},
	}
	f := c.Flags()
	f.StringVar(&o.dir, "config", "", "configuration directory (required)")
	f.StringVar(&o.api.URL, "api", "", "address of a running process, such as http://127.0.0.1:8686")
	f.StringVar(&o.api.Token, "token", os.Getenv("FLYBALL_TOKEN"), "bearer token for --api; FLYBALL_TOKEN is the default")
	f.Lookup("token").DefValue = "" // it must not be in the help
	f.StringVar(&o.admin, "admin", "", "address of its admin listener, such as http://127.0.0.1:6060")
	f.DurationVar(&o.cpu, "cpu", 5*time.Second, "how long the CPU is profiled; 0 is not at all")
	f.IntVar(&o.decisions, "decisions", 200, "how many of the latest decisions")
	f.StringVar(&o.out, "out", "", "file to write, - for stdout; default flyball-debug-TIME.tar.gz")
	_ = c.MarkFlagRequired("config") // the flag exists
	return c
}

// write writes the archive to where it shall be.
func (o *options) write(c *cobra.Command) (err error) {
	w := c.OutOrStdout()
	if o.out != "-" {
		file, err := os.OpenFile(o.out, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return fmt.Errorf("cannot write the bundle: %w", err)
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		w = file
	}
	failed, err := o.archive(c.Context(), w)
	if err != nil {
		return fmt.Errorf("cannot write the bundle: %w", err)
	}
	for _, f := range failed {
		fmt.Fprintf(c.ErrOrStderr(), "not in it: %s\n", f)
	}
	if o.out != "-" {
		fmt.Fprintln(c.OutOrStdout(), o.out)
	}
	return nil
}
