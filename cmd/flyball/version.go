package main

import (
	"encoding/json"
	"fmt"
	"runtime"

	"github.com/spf13/cobra"
)

func newVersion() *cobra.Command {
	var format string
	c := &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Example: "  flyball version -o json",
		Args:    exactArgs(0),
		RunE: func(c *cobra.Command, _ []string) error {
			if format == "json" {
				return json.NewEncoder(c.OutOrStdout()).Encode(map[string]string{
					"version": version, "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH,
				})
			}
			_, err := fmt.Fprintf(c.OutOrStdout(), "flyball %s (%s, %s/%s)\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
	outputFlag(c, &format)
	return c
}

// outputFlag adds -o text|json.
func outputFlag(c *cobra.Command, format *string) {
	c.Flags().StringVarP(format, "output", "o", "text", "output format: text or json")
	c.PreRunE = func(c *cobra.Command, _ []string) error {
		if *format != "text" && *format != "json" {
			return usageError(fmt.Errorf("unknown output format %q; want text or json", *format))
		}
		return nil
	}
}
