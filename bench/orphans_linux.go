// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package main

import "syscall"

// diesWithParent returns attributes by which the kernel terminates a process when its
// parent has exited for any reason. The kernel watches the parent's thread, and Go keeps
// its threads.
func diesWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
}
