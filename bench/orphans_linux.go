// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package main

import "syscall"

// diesWithParent has the kernel stop a process when the one that started it has ended,
// however it did. The kernel goes by the thread; Go keeps those that it has.
func diesWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
}
