package executor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config/spec"
)

// program runs a program, without a shell.
type program struct {
	path      string
	args      []string
	env       []string
	secrets   []string
	transient []int
}

func newProgram(s *spec.ExecutorProgram) *program {
	p := &program{path: s.Program, args: s.Args, transient: s.TransientExitCodes}
	for name, value := range s.Env {
		p.env = append(p.env, name+"="+string(value))
		p.secrets = append(p.secrets, string(value))
	}
	slices.Sort(p.env)
	return p
}

// Run runs the program and waits for it. When the time is over it is killed, and what it
// did by then is not known.
func (p *program) Run(ctx context.Context, cmd *flyball.Command) Result {
	var args []string
	for _, text := range p.args {
		arg, err := fill(text, cmd)
		if err == nil && strings.HasPrefix(arg, "-") && !strings.HasPrefix(text, "-") {
			err = fmt.Errorf("%q would be taken for an option", arg)
		}
		if err != nil {
			return Result{flyball.OutcomeRejected, ReasonParameter, err.Error()}
		}
		args = append(args, arg)
	}
	c := exec.CommandContext(ctx, p.path, args...)
	out := &tail{}
	c.Env, c.Stdout, c.Stderr = append([]string{}, p.env...), out, out
	c.WaitDelay = 2 * time.Second // for children that hold the output open
	if err := c.Start(); err != nil {
		return Result{flyball.OutcomePermanent, ReasonNotConfigured, "cannot start: " + err.Error()}
	}
	err := c.Wait()
	said := redact(out.String(), p.secrets)
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return Result{flyball.OutcomePermanent, ReasonTimeout, "it was killed when its time was over, and may have done a part: " + said}
	case err == nil:
		return Result{flyball.OutcomeSucceeded, "", said}
	case errors.As(err, &exit) && slices.Contains(p.transient, exit.ExitCode()):
		return Result{flyball.OutcomeTransient, ReasonFailed, fmt.Sprintf("exit code %d: %s", exit.ExitCode(), said)}
	}
	return Result{flyball.OutcomePermanent, ReasonFailed, err.Error() + ": " + said}
}

// redact takes secrets out of a text.
func redact(text string, secrets []string) string {
	for _, s := range secrets {
		if s != "" {
			text = strings.ReplaceAll(text, s, "***")
		}
	}
	return text
}

// tail keeps the last bytes that are written to it.
type tail struct{ bytes.Buffer }

// Write keeps at most twice maxDetail of what it is given.
func (t *tail) Write(b []byte) (int, error) {
	n := len(b)
	t.Buffer.Write(b)
	if over := t.Len() - 2*maxDetail; over > 0 {
		t.Next(over)
	}
	return n, nil
}
