// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package main

import "syscall"

// diesWithParent is for Linux only, and so are the collectors; see cpuTime.
func diesWithParent() *syscall.SysProcAttr { return nil }
