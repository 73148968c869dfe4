// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// cpuTime is what a process has used so far, user and system time together, from
// the kernel's own account, to the nanosecond.
func cpuTime(pid int) (time.Duration, error) {
	const processClock = 2 // CPUCLOCK_SCHED of the whole process; see clock_getcpuclockid(3)
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|processClock), &t); err != nil {
		return 0, fmt.Errorf("read the CPU time of process %d: %w", pid, err)
	}
	return time.Duration(t.Nano()), nil
}

// worked is the time that this process has worked so far. It stands still while
// others have the core, whom a shared machine has many of.
func worked() time.Duration {
	t, err := cpuTime(os.Getpid())
	if err != nil {
		panic(err) // unreachable: one may always ask for one's own
	}
	return t
}
