//go:build !linux

package apachekafka

import "syscall"

// childAttributes asks for nothing: only Linux can tie a child's life to its parent's.
func childAttributes() *syscall.SysProcAttr { return nil }
