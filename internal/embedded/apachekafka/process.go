package apachekafka

import (
	"os"
	"os/exec"
	"runtime"
)

// process is a running child.
type process struct {
	os     *os.Process
	exited chan struct{} // closed after err is set
	err    error
}

// startProcess starts cmd so that it dies with this process, where the system can do that.
func startProcess(cmd *exec.Cmd) (*process, error) {
	cmd.SysProcAttr = childAttributes()
	p := &process{exited: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		// Linux sends the parent-death signal when the thread that forked ends, not the process;
		// this goroutine keeps its thread for as long as the child lives.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if err := cmd.Start(); err != nil {
			started <- err
			return
		}
		p.os = cmd.Process
		started <- nil
		p.err = cmd.Wait()
		close(p.exited)
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// kill ends the child without any warning and waits until the system has removed it.
func (p *process) kill() {
	// The only error is that the child has ended already.
	_ = p.os.Kill()
	<-p.exited
}

func (p *process) running() bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}
