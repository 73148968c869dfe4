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

// Patience bounds every wait. It is far longer than anything should take, so that a slow machine does not make a test fail.
const Patience = time.Minute

// Root returns the project's folder, from which users run the collector. Tests run in the folder of their package.
func Root(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	return root
}

// binary returns the path of a collector, the default one or the gateway.
func binary(t *testing.T, gateway bool) string {
	t.Helper()
	name, variable := "otelcol-guardrail", "OTELCOL_GUARDRAIL"
	if gateway {
		name, variable = "otelcol-guardrail-gateway", "OTELCOL_GUARDRAIL_GATEWAY"
	}
	path := os.Getenv(variable)
	if path == "" {
		path = filepath.Join(Root(t), "dist", name)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v: run 'make build build-gateway' first, or set %s to the path of a collector", err, variable)
	}
	return path
}

// command returns a command that runs a collector in the project's folder. Besides PATH and HOME its environment is env alone, so
// that variables set where the tests run cannot change what it does.
func command(t *testing.T, binary string, env []string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(binary, args...)
	cmd.Dir = Root(t)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}, env...)
	return cmd
}

// Result is the outcome of a collector that has exited.
type Result struct {
	Code           int
	Stdout, Stderr string

	early bool // killed by an interrupt or a termination signal
}

// Clean reports whether the collector shut down as asked. It reports that it is ready a moment before it handles signals, so a signal
// in between kills it; that counts as clean.
func (r Result) Clean() bool { return r.Code == 0 || r.early }

func resultOf(cmd *exec.Cmd, stdout, stderr fmt.Stringer) Result {
	state := cmd.ProcessState
	status := state.Sys().(syscall.WaitStatus)
	early := status.Signaled() && (status.Signal() == syscall.SIGINT || status.Signal() == syscall.SIGTERM)
	return Result{state.ExitCode(), stdout.String(), stderr.String(), early}
}

// Complaints returns what was written to stderr, without the exporter's lines about requests that the backend refused and without
// those about a connection that was not yet made when the collector stopped.
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

// Run runs a collector that exits by itself.
func Run(t *testing.T, env []string, args ...string) Result {
	t.Helper()
	return run(t, command(t, binary(t, false), env, args...), args)
}

// RunGateway runs the gateway, with arguments with which it exits by itself.
func RunGateway(t *testing.T, args ...string) Result {
	t.Helper()
	return run(t, command(t, binary(t, true), nil, args...), args)
}

func run(t *testing.T, cmd *exec.Cmd, args []string) Result {
	t.Helper()
	var stdout, stderr bytes.Buffer
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
