// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Patience bounds every wait. It is far longer than anything takes, so that only what never comes runs into it.
const Patience = time.Minute

// Root is the folder of the project, from which users run the collector. Tests run in the folder of their package.
func Root(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	return root
}

// command prepares a run of the collector in the project's folder. It gets no other environment than env: nothing that
// happens to be set where the tests run may change what it does.
func command(t *testing.T, env []string, args ...string) *exec.Cmd {
	t.Helper()
	binary := os.Getenv("OTELCOL_GUARDRAIL")
	if binary == "" {
		binary = filepath.Join(Root(t), "dist", "otelcol-guardrail")
	}
	if _, err := os.Stat(binary); err != nil {
		t.Fatalf("%v: run 'make build' first, or let OTELCOL_GUARDRAIL name a collector", err)
	}
	cmd := exec.Command(binary, args...)
	cmd.Dir = Root(t)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}, env...)
	return cmd
}

// Result is what a run of the collector leaves behind.
type Result struct {
	Code           int
	Stdout, Stderr string

	early bool
}

// EndedWell reports whether it ended as it was told to. It says that it is ready a moment before it listens for signals: one that
// comes too early kills it.
func (r Result) EndedWell() bool { return r.Code == 0 || r.early }

func resultOf(cmd *exec.Cmd, stdout, stderr fmt.Stringer) Result {
	state := cmd.ProcessState
	status := state.Sys().(syscall.WaitStatus)
	early := status.Signaled() && (status.Signal() == syscall.SIGINT || status.Signal() == syscall.SIGTERM)
	return Result{state.ExitCode(), stdout.String(), stderr.String(), early}
}

// Complaints are what was written to stderr, without what the exporter says of every refusal by the backend, and without what
// its connection says when the collector ends before it is made.
func (r Result) Complaints() string {
	var complaints strings.Builder
	for line := range strings.Lines(r.Stderr) {
		refused := strings.Contains(line, "Exporting failed. Rejecting data.")
		early := strings.Contains(line, "Error while dialing") && strings.Contains(line, "operation was canceled")
		if !refused && !early {
			complaints.WriteString(line)
		}
	}
	return complaints.String()
}

// Run runs the collector until it ends by itself.
func Run(t *testing.T, env []string, args ...string) Result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := command(t, env, args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	require.NoError(t, cmd.Start())
	deadline := time.AfterFunc(Patience, func() { _ = cmd.Process.Kill() })
	err := cmd.Wait()
	require.True(t, deadline.Stop(), "%v is still running after %v: %s", args, Patience, stderr.String())
	if failed := new(exec.ExitError); err != nil {
		require.ErrorAs(t, err, &failed)
	}
	return resultOf(cmd, &stdout, &stderr)
}
