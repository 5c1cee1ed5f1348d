package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/flyball-io/flyball/internal/convert"
)

func newConvert() *cobra.Command {
	var names []string
	text := "Turn documents of another tool into Flyball's kinds. The documents are printed, and\non standard error what does not translate or was guessed.\n\nFormats:\n"
	for _, f := range convert.Formats() {
		names = append(names, f.Name)
		text += fmt.Sprintf("  %-10s %s\n", f.Name, f.Title)
	}
	return &cobra.Command{
		Use:       "convert " + strings.Join(names, "|") + " FILE",
		Short:     "Turn documents of another tool into Flyball's",
		Long:      strings.TrimSpace(text),
		ValidArgs: names,
		Example: `  flyball convert sloth slos.yaml > config/slos.yaml
  flyball convert openslo - < openslo.yaml && flyball lint config`,
		Args: exactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			in := c.InOrStdin()
			if args[1] != "-" {
				f, err := os.Open(args[1])
				if err != nil {
					return usageError(fmt.Errorf("cannot convert: %w", err))
				}
				defer f.Close()
				in = f
			}
			text, err := io.ReadAll(in)
			if err != nil {
				return fmt.Errorf("cannot read %q: %w", args[1], err)
			}
			r, err := convert.Convert(args[0], text)
			if err != nil {
				return usageError(fmt.Errorf("%s: %w", args[1], err))
			}
			for _, n := range r.Notes {
				if n.Line > 0 {
					fmt.Fprintf(c.ErrOrStderr(), "%s:%d: %s\n", args[1], n.Line, n.Text)
				} else {
					fmt.Fprintf(c.ErrOrStderr(), "%s: %s\n", args[1], n.Text)
				}
			}
			_, err = c.OutOrStdout().Write(r.YAML)
			return err
		},
	}
}
