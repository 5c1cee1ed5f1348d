package automation

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/user"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/processors/remediation/control"
)

// controlInput is what every command that controls automation is told.
type controlInput struct {
	dir, who, why string
	control       flyball.Control
	lasts         time.Duration
	scope         [3]string // service, customer, action
}

func (in *controlInput) flags(c *cobra.Command) {
	c.Flags().StringVar(&in.dir, "config", "", "configuration directory (required)")
	c.Flags().StringVar(&in.who, "who", "", "who says so; default the user that runs the command")
	c.Flags().StringVar(&in.why, "why", "", "why; recorded for everybody to see (required)")
	_ = c.MarkFlagRequired("config") // the flags exist
	_ = c.MarkFlagRequired("why")
}

func (in *controlInput) scopeFlags(c *cobra.Command) {
	c.Flags().StringVar(&in.scope[0], "service", "", "only this service; default all")
	c.Flags().StringVar(&in.scope[1], "customer", "", "only this customer")
	c.Flags().StringVar(&in.scope[2], "action", "", "only this action")
	c.MarkFlagsMutuallyExclusive("service", "customer", "action")
}

// send completes the control, checks it and writes it to flyball.control.
func (in *controlInput) send(c *cobra.Command) error {
	k := &in.control
	k.At, k.Why = flyball.TimeOf(time.Now()), in.why
	k.Who = cmp.Or(in.who, login())
	if k.Who == "" {
		return usage(errors.New("nobody knows who you are: say --who"))
	}
	if in.lasts > 0 {
		k.Until = k.At.Add(in.lasts)
	}
	if NeedsScope(k.Kind) {
		k.Scope = flyball.Scope{Kind: flyball.ScopeGlobal}
		for i, kind := range []string{flyball.ScopeService, flyball.ScopeCustomer, flyball.ScopeAction} {
			if in.scope[i] != "" {
				k.Scope = flyball.Scope{Kind: kind, Name: in.scope[i]}
			}
		}
	}
	cfg, err := config.Load(in.dir)
	if err != nil {
		return usage(err)
	}
	ctx, cancel := context.WithTimeout(c.Context(), 30*time.Second)
	defer cancel()
	if err := Send(ctx, cfg, k); err != nil {
		return err
	}
	fmt.Fprintf(c.ErrOrStderr(), "%s, by %s: it holds from the next decision on\n", k.Kind, k.Who)
	return nil
}

// Send checks what a person says and writes it to flyball.control of a configuration; an id
// and a time are filled in where they are missing. A *UsageError is a control that cannot be
// obeyed.
func Send(ctx context.Context, cfg *config.Config, k *flyball.Control) error {
	if k.ID == "" {
		id := make([]byte, 16)
		if _, err := rand.Read(id); err != nil {
			return fmt.Errorf("cannot make an id: %w", err)
		}
		k.ID = hex.EncodeToString(id)
	}
	if k.At == 0 {
		k.At = flyball.TimeOf(time.Now())
	}
	if problem := control.Check(k); problem != "" {
		return usage(fmt.Errorf("cannot %s: %s", k.Kind, problem))
	}
	if k.Guardrail != "" && !slices.ContainsFunc(cfg.Guardrails, named(k.Guardrail)) {
		return usage(fmt.Errorf("cannot reset: there is no guardrail named %q", k.Guardrail))
	}
	return sendControl(ctx, cfg, k)
}

// NeedsScope reports whether controls of a kind are about a scope.
func NeedsScope(k flyball.ControlKind) bool {
	return slices.Contains([]flyball.ControlKind{flyball.ControlKill, flyball.ControlPause, flyball.ControlResume,
		flyball.ControlMaintenance, flyball.ControlMode}, k)
}

// login returns the name of the user, "" when it is not known.
func login() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return os.Getenv("USER")
}

func newPause() *cobra.Command {
	var in controlInput
	var kill bool
	var mode string
	var maintenance bool
	c := &cobra.Command{
		Use:   "pause --config DIR --why TEXT [--service NAME | --customer NAME | --action NAME]",
		Short: "Hold automation: everything, a service, a customer or an action",
		Long: `Hold automation: no command is sent within the scope until it is resumed. What is
under way is not called back. Decisions are still made and recorded, so that you see
what would have been done.

Several people may pause the same thing for different reasons; all must be resumed.`,
		Example: `  flyball pause --config ./config --why "load test" --service checkout --for 2h
  flyball pause --config ./config --why "it restarts everything" --kill
  flyball pause --config ./config --why "database upgrade" --maintenance --for 4h
  flyball pause --config ./config --why "new rules" --mode approve --service checkout`,
		Args: exactly(0),
		RunE: func(c *cobra.Command, _ []string) error {
			in.control.Kind = flyball.ControlPause
			switch {
			case kill:
				in.control.Kind = flyball.ControlKill
			case maintenance:
				in.control.Kind = flyball.ControlMaintenance
			case mode != "":
				in.control.Kind, in.control.Mode = flyball.ControlMode, flyball.Mode(mode)
			}
			return in.send(c)
		},
	}
	in.flags(c)
	in.scopeFlags(c)
	c.Flags().DurationVar(&in.lasts, "for", 0, "how long; default until it is resumed")
	c.Flags().BoolVar(&kill, "kill", false, "the kill switch: as pause, in the first gate")
	c.Flags().BoolVar(&maintenance, "maintenance", false, "a maintenance window; needs --for")
	c.Flags().StringVar(&mode, "mode", "", "do not hold, but lower the mode: observe, suggest, approve or auto-notify; auto lifts it")
	c.MarkFlagsMutuallyExclusive("kill", "maintenance", "mode")
	return c
}

func newResume() *cobra.Command {
	var in controlInput
	var breaker, target string
	var replay bool
	c := &cobra.Command{
		Use:   "resume --config DIR --why TEXT [--service NAME | … | --breaker GUARDRAIL | --target TARGET]",
		Short: "Let automation go on: take back what was paused, reset a breaker, free a target",
		Long: `Take back kills, pauses, maintenances and modes of a scope; reset the breaker of a
guardrail; or free a target whose last command has an unknown outcome, when you have
seen for yourself how it is.`,
		Example: `  flyball resume --config ./config --why "test is over" --service checkout --lifts "load test"
  flyball resume --config ./config --why "the nodes are fine" --breaker nodes --replay
  flyball resume --config ./config --why "rolled back by hand" --target deploy/checkout`,
		Args: exactly(0),
		RunE: func(c *cobra.Command, _ []string) error {
			k := &in.control
			k.Kind = flyball.ControlResume
			switch {
			case breaker != "":
				k.Kind, k.Guardrail, k.Backlog = flyball.ControlResetBreaker, breaker, flyball.BacklogSkip
				if replay {
					k.Backlog = flyball.BacklogReplay
				}
			case target != "":
				k.Kind, k.Target = flyball.ControlRelease, target
			}
			return in.send(c)
		},
	}
	in.flags(c)
	in.scopeFlags(c)
	c.Flags().StringVar(&in.control.Lifts, "lifts", "", "only what has this reason; default all of the scope")
	c.Flags().StringVar(&breaker, "breaker", "", "reset the breaker of this guardrail")
	c.Flags().BoolVar(&replay, "replay", false, "with --breaker: judge findings again that are still open")
	c.Flags().StringVar(&target, "target", "", "free this target")
	c.MarkFlagsMutuallyExclusive("breaker", "target")
	return c
}

func newAnswer(kind flyball.ControlKind, short string) *cobra.Command {
	var in controlInput
	c := &cobra.Command{
		Use:   string(kind) + " --config DIR --why TEXT OPERATION",
		Short: short,
		Long: short + `. OPERATION is the operation_id of a decision to suggest or to
await approval: see flyball decisions. Every gate is asked again when you approve.`,
		Example: `  flyball ` + string(kind) + ` --config ./config --why "looked at the graphs" d65881a659f2b83be57f1defc1e22ce7`,
		Args:    exactly(1),
		RunE: func(c *cobra.Command, args []string) error {
			in.control.Kind, in.control.Operation = kind, args[0]
			return in.send(c)
		},
	}
	in.flags(c)
	return c
}
