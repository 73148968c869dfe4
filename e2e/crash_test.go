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
	kills = flag.Int("kills", 10, "how often collectors are killed, in all crash tests together")
	terms = flag.Int("terms", 4, "how often they are told to end")
	seed  = flag.Uint64("seed", 0, "the crash tests' seed; 0: another one each time")
)

// share is what part of a number of crashes falls to one test.
func share(all *int, percent int) int { return (*all*percent + 99) / 100 }

// end is the end of a collector.
type end struct {
	after    int // batches that have been accepted
	signal   os.Signal
	starting bool          // while it starts, whatever has been accepted
	delay    time.Duration // after that, so that it comes anywhere in what follows
}

// drawEnds spreads ends over a number of batches.
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

// crashRun is a load that goes through one collector after the other, each ended in the middle of it.
type crashRun struct {
	settings     collector.Settings
	feed         func(*testing.T, [][]bedrock.Call, *sink.Sink) (connect func(*collector.Collector), done *progress)
	kills, terms int
	files        bool   // are read
	queued       bool   // the exporter has a queue
	seed         uint64 // 0: the flag's, or another one each time
}

// play returns what is wrong with what came out.
func (run crashRun) play(t *testing.T) []string {
	t.Helper()
	run.seed = cmp.Or(run.seed, *seed, rand.Uint64())
	t.Cleanup(func() {
		if t.Failed() {
			name := strings.ReplaceAll(t.Name(), "/", "$/^")
			t.Logf("again: go test -count=1 -run '^%s$' -kills=%d -terms=%d -seed=%d", name, *kills, *terms, run.seed)
		}
	})
	rng := rand.New(rand.NewPCG(run.seed, 0))
	repeats := 5
	if run.files { // which take one that begins like another for the same
		repeats = 0
	}
	l := newLoad(rng, 30*(run.kills+run.terms+2), repeats)
	ends := drawEnds(rng, run.kills, run.terms, len(l.batches))
	if run.queued { // which loses what it is moving while it starts
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
	t.Logf("%d batches, %d ends, %d records, %d alerts due, %d told", len(l.batches), len(ends), len(r.records), len(l.due()), len(r.opened))
	return r.faults(l, len(ends), run.queued)
}

// requireQuiet checks that nothing was complained of, but for the batch that a receiver of files loses when it is told to end.
func (run crashRun) requireQuiet(t *testing.T, result collector.Result) {
	t.Helper()
	if !run.files && !run.queued {
		require.Empty(t, result.Complaints())
	}
}

// crashSettings run a collector from configurations, with its state in a folder of the test.
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

// shippedSettings run one of the shipped configurations as it is but for what is compared, and for its being watched.
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
			"GUARDRAIL_LISTEN_HTTP=127.0.0.1:0", // any free port
		},
	}
}

// The windows that alert depend on what was accepted, and on nothing else.
func TestCrashesChangeNothing(t *testing.T) {
	t.Parallel()
	run := crashRun{settings: crashSettings(t, "e2e/testdata/state.yaml"), feed: overOTLP, kills: share(kills, 50), terms: share(terms, 50)}
	assert.Empty(t, run.play(t))
}

// The shipped configuration, with its queue on disk and with one that answers for the backend.
func TestCrashesWithAQueueChangeNothing(t *testing.T) {
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

// The oracle agrees with a collector that nothing happens to, and notices what one forgets: that is, the tests above can fail.
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
