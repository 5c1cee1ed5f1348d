package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/flyball-io/flyball/internal/config"
)

func newLint() *cobra.Command {
	var format string
	c := &cobra.Command{
		Use:   "lint DIR",
		Short: "Check a configuration",
		Long: `Check a configuration directory, or one file. Every problem is printed with its
file, line and column, the path of the field, and what to do.

Exit code 0: nothing found. 3: something found.`,
		Example: `  flyball lint ./config
  flyball lint -o json ./config | jq -r .message`,
		Args: exactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			problems := config.Lint(args[0])
			out := json.NewEncoder(c.OutOrStdout())
			for _, p := range problems {
				if format == "json" {
					if err := out.Encode(p); err != nil {
						return err
					}
				} else {
					fmt.Fprintln(c.OutOrStdout(), p.String())
				}
			}
			if len(problems) > 0 {
				return &codedError{code: exitLint}
			}
			return nil
		},
	}
	outputFlag(c, &format)
	return c
}
