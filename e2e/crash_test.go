// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"cmp"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/otelcol-guardrail/e2e/internal/bedrock"
	"example.com/otelcol-guardrail/e2e/internal/collector"
	"example.com/otelcol-guardrail/e2e/internal/sink"
)

var (
	kills = flag.Int("kills", 10, "how often collectors are killed, in all crash tests in total")
	terms = flag.Int("terms", 4, "how often collectors are terminated, in all crash tests in total")
	seed  = flag.Uint64("seed", 0, "the crash tests' seed; 0: a random one each time")
)

// share returns the given percentage of all, rounded up: the part of the crashes that one test makes.
func share(all *int, percent int) int { return (*all*percent + 99) / 100 }

// end says when and how a collector is stopped.
type end struct {
	after    int // batches that have been accepted
	signal   os.Signal
	starting bool          // during the start instead, whatever has been accepted
	delay    time.Duration // from that moment, so that the signal comes at a random point of the work
}

// drawEnds returns ends in random order, spread over a number of batches.
func drawEnds(rng *rand.Rand, kills, terms, batches int) []end {
	ends := make([]end, kills+terms)
	for i := range ends {
		ends[i] = end{signal: syscall.SIGKILL, delay: time.Duration(rng.Int64N(int64(3 * time.Millisecond)))}
		if i >= kills {
			ends[i].signal = syscall.SIGTERM
		}
		if rng.IntN(5) == 0 {
			ends[i].starting = true
			ends[i].delay = time.Duration(rng.Int64N(int64(150 * time.Millisecond)))
		}
	}
	rng.Shuffle(len(ends), func(i, j int) { ends[i], ends[j] = ends[j], ends[i] })
	step := batches / (len(ends) + 1)
	for i := range ends {
		ends[i].after = i*step + rng.IntN(step)
	}
	return ends
}

// crashRun sends a load through one collector after another, each stopped in the middle of it.
type crashRun struct {
	settings     collector.Settings
	feed         func(*testing.T, [][]bedrock.Call, *sink.Sink) (connect func(*collector.Collector), done *progress)
	kills, terms int
	files        bool   // the collectors read files
	queued       bool   // the exporter has a queue
	seed         uint64 // 0: the flag's, or a random one each time
}

// play runs the collectors and returns what is wrong with what they exported.
func (run crashRun) play(t *testing.T) []string {
	t.Helper()
	run.seed = cmp.Or(run.seed, *seed, rand.Uint64())
	t.Cleanup(func() {
		if t.Failed() {
			name := strings.ReplaceAll(t.Name(), "/", "$/^")
			t.Logf("to repeat: go test -count=1 -run '^%s$' -kills=%d -terms=%d -seed=%d", name, *kills, *terms, run.seed)
		}
	})
	rng := rand.New(rand.NewPCG(run.seed, 0))
	repeats := 5
	if run.files { // the receiver treats files with the same beginning as one
		repeats = 0
	}
	l := newLoad(rng, 30*(run.kills+run.terms+2), repeats)
	ends := drawEnds(rng, run.kills, run.terms, len(l.batches))
	if run.queued { // the queue can lose what it moves while it starts
		for i := range ends {
			ends[i].starting, ends[i].delay = false, min(ends[i].delay, 3*time.Millisecond)
		}
	}

	s := sink.Start(t)
	run.settings.Env = append(run.settings.Env, "E2E_OUT="+s.Address)
	extensions := "yaml:service::extensions: [" + strings.Join(run.settings.Extensions, ", ") + "]"
	starts := 0
	next := func(configs ...string) collector.Settings {
		starts++
		instance := fmt.Sprintf("yaml:service::telemetry::resource::attributes: [{name: service.instance.id, value: 'collector %03d'}]", starts)
		settings := run.settings
		settings.Configs = slices.Concat(settings.Configs, configs, []string{instance})
		return settings
	}
	connect, done := run.feed(t, l.batches, s)
	for _, end := range ends {
		if end.starting {
			c := collector.Launch(t, next(extensions))
			time.Sleep(end.delay)
			run.requireQuiet(t, c.Stop(end.signal))
			continue
		}
		c := collector.Start(t, next())
		connect(c)
		done.await(t, end.after)
		time.Sleep(end.delay)
		result := c.Stop(end.signal)
		if end.signal == syscall.SIGTERM {
			require.True(t, result.Clean(), result.Stderr)
		}
		run.requireQuiet(t, result)
	}
	c := collector.Start(t, next())
	connect(c)
	done.await(t, len(l.batches))
	if run.queued {
		c.AwaitSample(pending, 0)
		c.AwaitSample("otelcol_exporter_queue_size", 0)
	}
	result := c.Stop(syscall.SIGTERM)
	require.True(t, result.Clean(), result.Stderr)
	run.requireQuiet(t, result)
	r := receive(t, s.Take()).inOrder()
	t.Logf("%d batches, %d ends, %d records, %d alerts due, %d reported", len(l.batches), len(ends), len(r.records), len(l.due()), len(r.opened))
	return r.faults(l, len(ends), run.queued)
}

// requireQuiet checks that a collector logged no complaint. Where files are read or the exporter has a queue, some are expected: they
// complain of a batch that a shutdown interrupts.
func (run crashRun) requireQuiet(t *testing.T, result collector.Result) {
	t.Helper()
	if !run.files && !run.queued {
		require.Empty(t, result.Complaints())
	}
}

// crashSettings returns settings for collectors with the given configurations and a state folder of the test.
func crashSettings(t *testing.T, configs ...string) collector.Settings {
	t.Helper()
	return collector.Settings{
		Configs:    append([]string{"e2e/testdata/otlp.yaml", "e2e/testdata/crash.yaml"}, configs...),
		Extensions: []string{"file_storage/state"},
		Env:        []string{"E2E_STATE=" + filepath.Join(t.TempDir(), "state")},
	}
}

// receiveOnSocket is a configuration that has the OTLP receiver of a shipped configuration listen where [collector.Collector.Dial]
// connects to.
const receiveOnSocket = "yaml:receivers::otlp::protocols::grpc: {endpoint: '${env:E2E_IN}', transport: unix}"

// shippedSettings returns settings for a shipped configuration, changed only so that its output can be compared and that it can be
// observed.
func shippedSettings(t *testing.T, config, exporter string, configs ...string) collector.Settings {
	t.Helper()
	dir := t.TempDir()
	return collector.Settings{
		Configs: append([]string{
			config, "e2e/testdata/crash.yaml", metricsConfig,
			"yaml:service::telemetry::logs: {level: warn, disable_stacktrace: true}",
			"yaml:exporters::" + exporter + ": {endpoint: '${env:E2E_OUT}', tls: {insecure: true}}",
		}, configs...),
		Extensions: []string{"file_storage/state", "file_storage/queue"},
		Env: []string{
			"GUARDRAIL_STATE=" + filepath.Join(dir, "state"), "GUARDRAIL_QUEUE=" + filepath.Join(dir, "queue"),
			"GUARDRAIL_LISTEN_HTTP=127.0.0.1:0", // nobody sends there
		},
	}
}

// Which windows alert depends on what was accepted and on nothing else.
func TestCrashesChangeNoAlert(t *testing.T) {
	t.Parallel()
	run := crashRun{settings: crashSettings(t, "e2e/testdata/state.yaml"), feed: overOTLP, kills: share(kills, 50), terms: share(terms, 50)}
	assert.Empty(t, run.play(t))
}

// The shipped configuration, with its queue on disk and with one that waits for the backend.
func TestCrashesWithAQueueChangeNoAlert(t *testing.T) {
	t.Parallel()
	const (
		config   = "config/durable.yaml"
		exporter = "otlp_grpc/backend"
		wait     = "yaml:exporters::otlp_grpc/backend::sending_queue: {storage: null, wait_for_result: true}"
	)
	t.Run("on disk", func(t *testing.T) {
		t.Parallel()
		settings := shippedSettings(t, config, exporter, receiveOnSocket)
		assert.Empty(t, crashRun{settings: settings, feed: overOTLP, kills: share(kills, 10), terms: share(terms, 20), queued: true}.play(t))
	})
	t.Run("that waits for the result", func(t *testing.T) {
		t.Parallel()
		settings := shippedSettings(t, config, exporter, receiveOnSocket, wait)
		assert.Empty(t, crashRun{settings: settings, feed: overOTLP, kills: share(kills, 10), terms: share(terms, 10)}.play(t))
	})
}

// The tests above can fail: the oracle agrees with an undisturbed collector, and notices what a crash without storage loses.
func TestCrashesWithoutStorageAreNoticed(t *testing.T) {
	t.Parallel()
	settings := crashSettings(t)
	settings.Extensions = nil
	t.Run("no crash", func(t *testing.T) {
		t.Parallel()
		assert.Empty(t, crashRun{settings: settings, feed: overOTLP}.play(t))
	})
	t.Run("crashes", func(t *testing.T) {
		t.Parallel()
		faults := crashRun{settings: settings, feed: overOTLP, kills: 5, seed: 1}.play(t)
		require.NotEmpty(t, faults)
		assert.Contains(t, faults[0], "alerts are missing")
	})
}
