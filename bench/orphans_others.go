// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package main

import "syscall"

// diesWithParent is implemented on Linux only, where collectors can be measured; see cpuTime.
func diesWithParent() *syscall.SysProcAttr { return nil }
