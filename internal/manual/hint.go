package manual

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/flyball-io/flyball/internal/config/strictyaml"
)

// Hint adds to what is wrong with the flags of a command what was perhaps meant, and where
// to read on.
func Hint(c *cobra.Command, err error) error {
	if args := c.Flags().Args(); c.HasSubCommands() && len(args) > 0 {
		return Unknown(c, args[0]) // the flag is one of the command that was meant
	}
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) && len(unknown.GetSpecifiedName()) > 1 {
		var known []string
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden {
				known = append(known, f.Name)
			}
		})
		if hint := strictyaml.DidYouMean(unknown.GetSpecifiedName(), known); strings.HasPrefix(hint, "did you mean") {
			err = fmt.Errorf("%w; %s", err, strings.Replace(hint, `"`, `"--`, 1))
		}
	}
	return fmt.Errorf("%w; see %s --help", err, c.CommandPath())
}

// Strict makes a command that only has subcommands refuse others, with what was perhaps
// meant; without any it shows its help. So do those below it.
func Strict(c *cobra.Command, usage func(error) error) {
	for _, sub := range c.Commands() {
		Strict(sub, usage)
	}
	if !c.HasSubCommands() {
		return
	}
	before := c.Args
	c.Args = func(c *cobra.Command, args []string) error {
		switch {
		case len(args) > 0 && (before == nil || before(c, args) != nil):
			return usage(Unknown(c, args[0]))
		case before != nil:
			return before(c, args)
		}
		return nil
	}
	if c.Run == nil && c.RunE == nil {
		c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	}
}

// Unknown says that a command has no such subcommand.
func Unknown(c *cobra.Command, name string) error {
	var known []string
	for _, sub := range c.Commands() {
		if !sub.Hidden {
			known = append(known, sub.Name())
		}
	}
	err := fmt.Errorf("unknown command %q for %q", name, c.CommandPath())
	if hint := strictyaml.DidYouMean(name, known); hint != "" {
		err = fmt.Errorf("%w; %s", err, hint)
	}
	return fmt.Errorf("%w; see %s --help", err, c.CommandPath())
}
