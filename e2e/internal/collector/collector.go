// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Settings configure a collector to run.
type Settings struct {
	Configs    []string // files, relative to the project's folder, or "yaml:..."; later ones override earlier ones
	Args       []string // further command-line arguments
	Extensions []string // the extensions of the configurations: the list that [Start] adds replaces theirs
	Env        []string // "NAME=value"
	Gateway    bool     // runs the distribution for several machines
}

// Collector is a running collector. It is stopped at the end of its test, which fails unless the collector exits cleanly and without
// complaints; a test that expects anything else calls [Collector.Stop].
type Collector struct {
	In string // Unix socket on which it receives OTLP: ${env:E2E_IN} in configurations, with transport unix

	metrics        string // address of its own metrics, on port ${env:E2E_METRICS_PORT}; with port 0 it is unknown
	counts         string // address of what it counts, on port ${env:E2E_COUNTS_PORT}
	health         string // Unix socket of the health check
	t              *testing.T
	cmd            *exec.Cmd
	stdout, stderr *output
	exited         chan struct{} // closed when the process has exited
	stopped        bool
	script         bool // signals go to the whole process group
}

// Start runs a collector and waits until it is ready.
func Start(t *testing.T, settings Settings) *Collector {
	t.Helper()
	extensions := strings.Join(append([]string{"health_check"}, settings.Extensions...), ", ")
	settings.Configs = append(settings.Configs, "e2e/testdata/health.yaml", "yaml:service::extensions: ["+extensions+"]")
	for attempt := 1; ; attempt++ {
		c := launch(t, settings, drawMetricsPort())
		if c.awaitReady() {
			t.Cleanup(c.finish)
			return c
		}
		taken := regexp.MustCompile(`(` + c.metrics + `|` + c.counts + `): bind: address already in use`).MatchString(c.stderr.String())
		require.True(t, taken && attempt < 5, "the collector does not start: %s", c.stderr)
	}
}

// Launch runs a collector without waiting for anything and without adding to its configuration. Its metrics cannot be read.
func Launch(t *testing.T, settings Settings) *Collector {
	t.Helper()
	c := launch(t, settings, 0)
	t.Cleanup(c.finish)
	return c
}

// LaunchScript runs one of the project's scripts as a terminal does: [Collector.Stop] signals every process that the script starts.
// Its arguments are the collector and args. It runs in a new folder that links to the project's configurations.
func LaunchScript(t *testing.T, script string, args ...string) *Collector {
	t.Helper()
	cmd := command(t, binary(t, false), nil)
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

func launch(t *testing.T, settings Settings, metricsPort int) *Collector {
	t.Helper()
	port, countsPort := strconv.Itoa(metricsPort), strconv.Itoa(drawMetricsPort())
	c := &Collector{
		In:      socket(t),
		metrics: "127.0.0.1:" + port,
		counts:  "127.0.0.1:" + countsPort,
		health:  socket(t),
		t:       t,
	}
	args := slices.Clone(settings.Args)
	for _, config := range settings.Configs {
		args = append(args, "--config", config)
	}
	env := []string{"E2E_IN=" + c.In, "E2E_METRICS_PORT=" + port, "E2E_COUNTS_PORT=" + countsPort, "E2E_HEALTH=" + c.health}
	c.cmd = command(t, binary(t, settings.Gateway), append(env, settings.Env...), args...)
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
		_ = c.cmd.Wait() // the process state says how it ended
	}()
}

// signal signals the process, or does nothing when it has already exited.
func (c *Collector) signal(signal os.Signal) {
	if !c.script {
		_ = c.cmd.Process.Signal(signal)
		return
	}
	select {
	case <-c.exited: // its id may belong to another process by now
	default:
		_ = syscall.Kill(-c.cmd.Process.Pid, signal.(syscall.Signal))
	}
}

// Signal sends the process a signal that does not end it.
func (c *Collector) Signal(signal os.Signal) { c.signal(signal) }

// awaitReady waits until the health check reports that all pipelines run. It returns false when the process exits first.
func (c *Collector) awaitReady() bool { return c.awaitHealth(http.StatusOK) }

// AwaitHealth waits until the health check answers with the given HTTP status.
func (c *Collector) AwaitHealth(status int) {
	c.t.Helper()
	require.True(c.t, c.awaitHealth(status), "the collector has exited: %s", c.stderr)
}

// awaitHealth waits until the health check answers with the given HTTP status. It returns false when the process exits first.
func (c *Collector) awaitHealth(wanted int) bool {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), Patience)
	defer cancel()
	client := HTTPClient(c.health)
	for tick := time.NewTicker(10 * time.Millisecond); ; {
		if status, _, err := get(ctx, client, "http://health/"); err == nil && status == wanted {
			tick.Stop()
			return true
		}
		select {
		case <-tick.C:
		case <-c.exited:
			return false
		case <-ctx.Done():
			_ = c.cmd.Process.Kill()
			c.t.Fatalf("the health check does not answer with %d within %v: %s", wanted, Patience, c.stderr)
		}
	}
}

// Reload makes the collector read its configuration again, and waits until it runs with it. It needs the log of level info.
func (c *Collector) Reload() {
	c.t.Helper()
	const ready = "Everything is ready"
	starts := strings.Count(c.stderr.String(), ready)
	c.signal(syscall.SIGHUP)
	c.await(c.stderr, func(stderr string) bool { return strings.Count(stderr, ready) > starts })
}

// AwaitStdout waits until wanted holds for all of the standard output so far.
func (c *Collector) AwaitStdout(wanted func(stdout string) bool) {
	c.t.Helper()
	c.await(c.stdout, wanted)
}

// AwaitStderr waits until the standard error contains text.
func (c *Collector) AwaitStderr(text string) {
	c.t.Helper()
	c.await(c.stderr, func(stderr string) bool { return strings.Contains(stderr, text) })
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
			if text, _ = o.read(); wanted(text) { // what it wrote last
				return
			}
			c.t.Fatalf("the collector has exited: %s", c.stderr)
		case <-deadline:
			c.t.Fatalf("timed out waiting for output; so far there is:\n%s\n%s", text, c.stderr)
		}
	}
}

// Stop sends the process a signal and waits until it has exited.
func (c *Collector) Stop(signal os.Signal) Result {
	c.t.Helper()
	c.signal(signal)
	return c.Wait()
}

// Wait waits until the process has exited.
func (c *Collector) Wait() Result {
	c.t.Helper()
	c.stopped = true
	select {
	case <-c.exited:
	case <-time.After(Patience):
		c.signal(syscall.SIGQUIT) // makes it print its goroutines
		c.signal(syscall.SIGCONT) // in case a test has stopped it
		<-c.exited
		c.t.Fatalf("the collector is still running after %v: %s", Patience, c.stderr)
	}
	return resultOf(c.cmd, c.stdout, c.stderr)
}

func (c *Collector) finish() {
	if !c.stopped {
		result := c.Stop(os.Interrupt)
		assert.True(c.t, result.Clean(), "exit code %d", result.Code)
		assert.Empty(c.t, result.Complaints())
	}
	if c.t.Failed() {
		c.t.Logf("stderr of the collector:\n%s", c.stderr)
	}
}
