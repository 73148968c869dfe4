// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// cpuTime returns the user and system time that a process has used so far, as the
// kernel accounts it, to the nanosecond.
func cpuTime(pid int) (time.Duration, error) {
	const processClock = 2 // CPUCLOCK_SCHED of the whole process; see clock_getcpuclockid(3)
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|processClock), &t); err != nil {
		return 0, fmt.Errorf("read the CPU time of process %d: %w", pid, err)
	}
	return time.Duration(t.Nano()), nil
}

// worked returns the CPU time that this process has used so far. It does not
// advance while other processes have the core, as happens on a shared machine.
func worked() time.Duration {
	t, err := cpuTime(os.Getpid())
	if err != nil {
		panic(err) // unreachable: a process may always read its own time
	}
	return t
}
