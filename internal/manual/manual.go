// Package manual writes the manual of the command line: pages of man, or Markdown.
package manual

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// Command returns `flyball man`. usage makes an error one of usage.
func Command(usage func(error) error) *cobra.Command {
	format := "man"
	c := &cobra.Command{
		Use:   "man DIR",
		Short: "Write the manual of every command into a directory",
		Example: `  flyball man /usr/local/share/man/man1
  flyball man --format markdown ./reference`,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage(errors.New("say into which directory; see flyball man --help"))
			}
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return fmt.Errorf("cannot make directory %q: %w", args[0], err)
			}
			return write(c.Root(), format, args[0], usage)
		},
	}
	c.Flags().StringVar(&format, "format", format, "man or markdown")
	return c
}

func write(root *cobra.Command, format, dir string, usage func(error) error) error {
	root.DisableAutoGenTag = true // the same commands give the same pages
	switch format {
	case "man":
		return doc.GenManTree(root, &doc.GenManHeader{Title: "FLYBALL", Section: "1", Source: "flyball " + root.Version, Manual: "Flyball"}, dir)
	case "markdown":
		return doc.GenMarkdownTree(root, dir)
	}
	return usage(fmt.Errorf("unknown format %q; want man or markdown", format))
}
