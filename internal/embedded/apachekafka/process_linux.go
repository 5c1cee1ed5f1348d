package apachekafka

import "syscall"

// childAttributes makes the kernel kill the child when this process ends, and keeps the terminal's
// interrupt away from it, so that a test that is interrupted can still stop it in order.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}
