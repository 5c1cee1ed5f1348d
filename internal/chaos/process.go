package chaos

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// process is one flyball.
type process struct {
	cmd  *exec.Cmd
	done chan struct{}
	err  error // once done

	mu     sync.Mutex
	frozen int // how many want it stopped
}

// startProcess starts a flyball with the configuration in a folder, to which its
// log goes too.
func startProcess(binary, dir string) (*process, error) {
	log, err := os.OpenFile(filepath.Join(dir, "log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("cannot open log: %w", err)
	}
	defer log.Close() // the child has its own copy
	p := &process{cmd: exec.Command(binary, "run", "--config", dir), done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = log, log
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("cannot start flyball: %w", err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// ended reports whether the process is gone.
func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// kill ends the process with SIGKILL, which also reaches one that is stopped.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // fails only when it has ended
	<-p.done
}

// terminate asks the process to leave, waits until it has, and returns how long
// that took. One that does not leave in time is killed.
func (p *process) terminate(limit time.Duration) (time.Duration, error) {
	began := time.Now()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return 0, fmt.Errorf("cannot terminate flyball: %w", err)
	}
	select {
	case <-p.done:
	case <-time.After(limit):
		p.kill()
		return limit, fmt.Errorf("flyball did not leave within %s", limit)
	}
	if p.err != nil {
		return 0, fmt.Errorf("flyball did not leave in order: %w", p.err)
	}
	return time.Since(began), nil
}

// freeze stops the process. Of several that want it stopped, the last one wakes
// it.
func (p *process) freeze() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.frozen++
	p.signal(syscall.SIGSTOP)
}

// thaw takes a freeze back.
func (p *process) thaw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.frozen--; p.frozen == 0 {
		p.signal(syscall.SIGCONT)
	}
}

func (p *process) signal(s os.Signal) {
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		panic(fmt.Sprintf("BUG: cannot signal a process of our own: %v", err))
	}
}
