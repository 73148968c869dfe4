// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestMain runs the program instead of the tests when a test has started it.
func TestMain(m *testing.M) {
	if os.Getenv("BENCH_PROGRAM") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// However the program is stopped, it leaves no collector running.
func TestCollectorsExitWithTheProgram(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGKILL} {
		t.Run(signal.String(), func(t *testing.T) {
			folder := t.TempDir()
			alive, held, err := os.Pipe()
			require.NoError(t, err)
			defer alive.Close()
			program := exec.Command(self, "-quick", "-only", "whole collector, attribute records")
			program.Env = append(os.Environ(), "BENCH_PROGRAM=1", "TMPDIR="+folder)
			program.ExtraFiles = []*os.File{held} // its collectors inherit it
			require.NoError(t, program.Start())
			require.NoError(t, held.Close())
			states := func() []string {
				all, err := filepath.Glob(filepath.Join(folder, "bench-state-*"))
				require.NoError(t, err)
				return all
			}
			assert.Eventually(t, func() bool { return len(states()) == 2 }, time.Minute, 10*time.Millisecond,
				"the first collector is ready before the second is started")

			require.NoError(t, program.Process.Signal(signal))
			require.Error(t, program.Wait())
			require.NoError(t, alive.SetReadDeadline(time.Now().Add(2*stopGrace)))
			_, err = io.Copy(io.Discard, alive)
			require.NoError(t, err, "a collector is still running")
			if signal != syscall.SIGKILL {
				assert.Empty(t, states())
			}
		})
	}
}
