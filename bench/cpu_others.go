// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package main

import (
	"errors"
	"time"
)

func cpuTime(int) (time.Duration, error) {
	return 0, errors.New("the CPU time of another process is read on Linux only; bench -check works everywhere")
}

var began = time.Now()

// worked stands for the time that this process has worked so far.
func worked() time.Duration { return time.Since(began) }
