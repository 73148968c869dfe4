// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package main

import (
	"errors"
	"time"
)

// cpuTime is implemented on Linux only.
func cpuTime(int) (time.Duration, error) {
	return 0, errors.New("the CPU time of another process can be read on Linux only; bench -check works everywhere")
}

var began = time.Now()

// worked returns the time since this process began, in place of its CPU time.
func worked() time.Duration { return time.Since(began) }
