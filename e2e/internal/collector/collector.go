// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Settings are what a collector is started with.
type Settings struct {
	Configs    []string // files below the project's folder, or "yaml:..."; a later one overrules the earlier
	Args       []string // further arguments
	Extensions []string // that the configurations run: what [Start] adds would replace their list
	Env        []string // "NAME=value"
}

// Collector is a running collector. It ends with its test, which fails unless it ends well and without complaints; a test that
// expects anything else calls [Collector.Stop].
type Collector struct {
	In      string // address for OTLP over gRPC: ${env:E2E_IN} in configurations
	Metrics string // address of its own metrics, on port ${env:E2E_METRICS_PORT}

	t              *testing.T
	cmd            *exec.Cmd
	stdout, stderr *output
	exited         chan struct{} // closed when the process has ended
	stopped        bool
	script         bool // of which all processes get a signal
}

// Start runs a collector and waits until it is ready.
func Start(t *testing.T, settings Settings) *Collector {
	t.Helper()
	extensions := strings.Join(append([]string{"health_check"}, settings.Extensions...), ", ")
	settings.Configs = append(settings.Configs, "e2e/testdata/health.yaml", "yaml:service::extensions: ["+extensions+"]")
	for attempt := 1; ; attempt++ {
		health := freePort(t)
		c := launch(t, settings, "E2E_HEALTH="+address(health))
		if c.awaitReady("http://" + address(health)) {
			t.Cleanup(c.finish)
			return c
		}
		// A port was free when it was drawn, and somebody else may have taken it since.
		taken := strings.Contains(c.stderr.String(), "address already in use")
		require.True(t, taken && attempt < 3, "the collector does not start: %s", c.stderr)
	}
}

// Launch runs a collector without waiting for anything, and without adding to its configuration.
func Launch(t *testing.T, settings Settings) *Collector {
	t.Helper()
	c := launch(t, settings)
	t.Cleanup(c.finish)
	return c
}

// LaunchScript runs a script of the project with the collector and further arguments, in a new folder that holds the project's
// configurations, as in a terminal: all that it starts gets what [Collector.Stop] sends.
func LaunchScript(t *testing.T, script string, args ...string) *Collector {
	t.Helper()
	cmd := command(t, nil)
	cmd.Args = append([]string{filepath.Join(Root(t), script), cmd.Path}, args...)
	cmd.Path = cmd.Args[0]
	cmd.Dir = t.TempDir()
	require.NoError(t, os.Symlink(filepath.Join(Root(t), "config"), filepath.Join(cmd.Dir, "config")))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c := &Collector{t: t, cmd: cmd, script: true}
	c.start()
	t.Cleanup(c.finish)
	return c
}

func launch(t *testing.T, settings Settings, env ...string) *Collector {
	t.Helper()
	in, metrics := freePort(t), freePort(t)
	c := &Collector{
		In:      address(in),
		Metrics: address(metrics),
		t:       t,
	}
	args := slices.Clone(settings.Args)
	for _, config := range settings.Configs {
		args = append(args, "--config", config)
	}
	env = append(env, "E2E_IN="+c.In, "E2E_METRICS_PORT="+metrics)
	c.cmd = command(t, append(env, settings.Env...), args...)
	c.start()
	return c
}

func (c *Collector) start() {
	c.t.Helper()
	c.stdout, c.stderr, c.exited = newOutput(), newOutput(), make(chan struct{})
	c.cmd.Stdout, c.cmd.Stderr = c.stdout, c.stderr
	require.NoError(c.t, c.cmd.Start())
	go func() {
		defer close(c.exited)
		_ = c.cmd.Wait() // its state tells how it ended
	}()
}

// signal does nothing when the process has ended already.
func (c *Collector) signal(signal os.Signal) {
	if !c.script {
		_ = c.cmd.Process.Signal(signal)
		return
	}
	select {
	case <-c.exited: // its number may be somebody else's by now
	default:
		_ = syscall.Kill(-c.cmd.Process.Pid, signal.(syscall.Signal))
	}
}

// awaitReady waits for the health check's word that all pipelines run. It reports false when the process ends before.
func (c *Collector) awaitReady(url string) bool {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), Patience)
	defer cancel()
	for tick := time.NewTicker(10 * time.Millisecond); ; {
		if status, _, err := get(ctx, url); err == nil && status == http.StatusOK {
			tick.Stop()
			return true
		}
		select {
		case <-tick.C:
		case <-c.exited:
			return false
		case <-ctx.Done():
			_ = c.cmd.Process.Kill()
			c.t.Fatalf("the collector is not ready after %v: %s", Patience, c.stderr)
		}
	}
}

// AwaitStdout waits until the standard output is as wanted.
func (c *Collector) AwaitStdout(wanted func(stdout string) bool) {
	c.t.Helper()
	c.await(c.stdout, wanted)
}

// AwaitStderr waits until a word is there.
func (c *Collector) AwaitStderr(word string) {
	c.t.Helper()
	c.await(c.stderr, func(stderr string) bool { return strings.Contains(stderr, word) })
}

func (c *Collector) await(o *output, wanted func(text string) bool) {
	c.t.Helper()
	deadline := time.After(Patience)
	for {
		text, changed := o.read()
		if wanted(text) {
			return
		}
		select {
		case <-changed:
		case <-c.exited:
			if text, _ = o.read(); wanted(text) { // its last words
				return
			}
			c.t.Fatalf("the collector has ended: %s", c.stderr)
		case <-deadline:
			c.t.Fatalf("waited in vain for output; there is:\n%s\n%s", text, c.stderr)
		}
	}
}

// Stop sends the process a signal and waits for its end.
func (c *Collector) Stop(signal os.Signal) Result {
	c.t.Helper()
	c.stopped = true
	c.signal(signal)
	select {
	case <-c.exited:
	case <-time.After(Patience):
		c.signal(syscall.SIGQUIT) // makes it tell where it hangs
		<-c.exited
		c.t.Fatalf("the collector does not end within %v of the signal %v: %s", Patience, signal, c.stderr)
	}
	return resultOf(c.cmd, c.stdout, c.stderr)
}

func (c *Collector) finish() {
	if !c.stopped {
		result := c.Stop(os.Interrupt)
		assert.True(c.t, result.EndedWell(), "exit code %d", result.Code)
		assert.Empty(c.t, result.Complaints())
	}
	if c.t.Failed() {
		c.t.Logf("stderr of the collector:\n%s", c.stderr)
	}
}
