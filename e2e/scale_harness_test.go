// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/otelcol-guardrail/e2e/internal/bedrock"
	"example.com/otelcol-guardrail/e2e/internal/collector"
	"example.com/otelcol-guardrail/e2e/internal/sink"
)

// fleet is edges and detectors, run from the shipped configurations on one machine. Everything that they export arrives at one sink.
type fleet struct {
	t         *testing.T
	way       way // of the start
	out       *sink.Sink
	taken     []sink.Request // from out, so far
	detectors []*node
	edges     []*node
}

// node is a place in a fleet: the collector that runs there, one after another, and what each of them finds again.
type node struct {
	*collector.Collector
	fleet    *fleet
	name     string
	settings collector.Settings
	dir      string   // what its collectors keep
	laidOver []string // further configurations
	address  string   // of a detector, a socket that stays the same; empty for an edge
	line     *line    // to an edge
	starts   int
}

const (
	edgeConfig     = "config/scale-out/edge.yaml"
	detectorConfig = "config/scale-out/detector.yaml"

	quietLogs = "yaml:service::telemetry::logs: {level: warn, disable_stacktrace: true}"
	queued    = "otelcol_exporter_queue_size"
)

// way is a way in which edges share invocations out among detectors.
type way struct {
	gateway  bool // needs the distribution for several machines
	env      []string
	configs  []string // laid over that of an edge
	detector []string // laid over that of a detector
}

var (
	byRanges = way{configs: []string{"config/scale-out/ranges.yaml"}}
	byRing   = way{configs: []string{"config/scale-out/load-balancing.yaml"}, gateway: true}

	ways = map[string]way{"ranges": byRanges, "ring": byRing}
)

// with returns the way with further configurations.
func (w way) with(configs ...string) way {
	w.configs = slices.Concat(w.configs, configs)
	return w
}

// newFleet starts detectors, and then edges.
func newFleet(t *testing.T, detectors, edges int, w way) *fleet {
	t.Helper()
	f := &fleet{t: t, way: w, out: sink.Start(t)}
	f.addDetectors(detectors)
	for i := range edges {
		n := f.add(fmt.Sprintf("edge %d", i), []string{"file_storage/queue"}, edgeConfig, receiveOnSocket,
			"yaml:exporters::otlp_grpc/backend: {endpoint: '${env:E2E_OUT}', tls: {insecure: true}}")
		n.settings.Env = append(n.settings.Env, "GUARDRAIL_DETECTOR_INSECURE=true")
		n.line = newLine()
		f.edges = append(f.edges, n)
	}
	f.configure(w)
	return f
}

func (f *fleet) add(name string, extensions []string, configs ...string) *node {
	dir := f.t.TempDir()
	return &node{fleet: f, name: name, dir: dir, settings: collector.Settings{
		Configs:    append(configs, metricsConfig, quietLogs),
		Extensions: extensions,
		Env: []string{
			"E2E_OUT=" + f.out.Address,
			"GUARDRAIL_STATE=" + filepath.Join(dir, "state"), "GUARDRAIL_QUEUE=" + filepath.Join(dir, "queue"),
			"GUARDRAIL_LISTEN_HTTP=127.0.0.1:0", // nobody sends there
			"GUARDRAIL_DETECTOR=" + strings.ReplaceAll(name, " ", "-"),
		},
		Gateway: f.way.gateway,
	}}
}

// addDetectors starts further detectors.
func (f *fleet) addDetectors(count int) {
	f.t.Helper()
	for range count {
		n := f.add(fmt.Sprintf("detector %d", len(f.detectors)), []string{"file_storage/state"}, detectorConfig, "e2e/testdata/crash.yaml",
			"yaml:receivers::otlp::protocols::grpc: {endpoint: '${env:E2E_DETECTOR}', transport: unix}",
			"yaml:exporters::otlp_grpc/siem: {endpoint: '${env:E2E_OUT}', tls: {insecure: true}}")
		dir, err := os.MkdirTemp("", "e2e") // short, as a socket's path must be
		require.NoError(f.t, err)
		f.t.Cleanup(func() { _ = os.RemoveAll(dir) })
		n.address = filepath.Join(dir, "socket")
		n.settings.Env = append(n.settings.Env, "E2E_DETECTOR="+n.address)
		n.laidOver = f.way.detector
		n.start()
		f.detectors = append(f.detectors, n)
	}
}

// addresses returns the environment in which an edge finds the detectors.
func (f *fleet) addresses() (env []string) {
	for i, d := range f.detectors {
		env = append(env, fmt.Sprintf("GUARDRAIL_DETECTOR_%d=unix://%s", i, d.address))
	}
	return env
}

// configure restarts all edges, so that they share out in another way.
func (f *fleet) configure(w way) {
	f.t.Helper()
	for _, e := range f.edges {
		if e.Collector != nil {
			require.True(f.t, e.Stop(syscall.SIGTERM).Clean())
		}
		e.laidOver = w.configs
		e.start()
	}
}

// start runs a collector at the node.
func (n *node) start() {
	t := n.fleet.t
	t.Helper()
	if n.address != "" {
		_ = os.Remove(n.address) // left by a collector that was killed
	}
	n.starts++
	settings := n.settings
	settings.Env = slices.Concat(settings.Env, n.fleet.way.env, n.fleet.addresses())
	settings.Configs = slices.Concat(settings.Configs, n.laidOver,
		[]string{fmt.Sprintf("yaml:service::telemetry::resource::attributes: [{name: service.instance.id, value: '%s, start %d'}]", n.name, n.starts)})
	n.Collector = collector.Start(t, settings)
	if n.address != "" {
		n.In = n.address
	}
	if n.line != nil {
		n.line.connect(n.Dial(t))
	}
}

// ranges returns a file with the configuration that make ranges writes.
func ranges(t *testing.T, numbers ...string) string {
	t.Helper()
	text, err := exec.Command(filepath.Join(collector.Root(t), "scripts", "ranges.sh"), numbers...).Output()
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "ranges.yaml")
	require.NoError(t, os.WriteFile(file, text, 0o600))
	return file
}

// sending is batches on their way to the edges. Its progress counts the accepted ones.
type sending struct {
	*progress
	wait func() // until all are accepted
}

// send has the batches delivered by two senders to each edge, in turns.
func (f *fleet) send(batches [][]bedrock.Call) sending {
	done := newProgress()
	ctx, cancel := context.WithTimeout(context.Background(), 4*collector.Patience)
	var senders sync.WaitGroup
	n := 2 * len(f.edges)
	for sender := range n {
		senders.Go(func() {
			for i := sender; i < len(batches) && f.edges[sender%len(f.edges)].line.deliver(ctx, batches[i]); i += n {
				done.step()
			}
		})
	}
	f.t.Cleanup(func() {
		cancel()
		senders.Wait()
	})
	return sending{done, func() {
		f.t.Helper()
		senders.Wait()
		require.NoError(f.t, ctx.Err(), "timed out sending")
	}}
}

// drain waits until all that was accepted has been exported, and the alerts with it.
func (f *fleet) drain() {
	f.t.Helper()
	for _, e := range f.edges {
		e.AwaitSample(queued, 0)
	}
	for _, d := range f.detectors {
		d.AwaitSample(pending, 0)
	}
}

// stop stops every collector.
func (f *fleet) stop() {
	f.t.Helper()
	for _, n := range slices.Concat(f.edges, f.detectors) {
		result := n.Stop(syscall.SIGTERM)
		assert.True(f.t, result.Clean(), result.Stderr)
	}
}

// awaitAlertsOf waits until every alert that is due has been reported.
func (f *fleet) awaitAlertsOf(l load) {
	f.t.Helper()
	due := l.due()
	for len(differences("", due, l.whole(receive(f.t, f.taken).windows()))) > 0 {
		f.taken = append(f.taken, f.out.Await(f.t, func(sink.Request) bool { return true }))
	}
}

// faults drains and stops the fleet, and returns what is wrong with what it exported: alerts that are missing, that should not be
// there, that have two ids, or that were reported more often than once, and once for each end of a collector.
func (f *fleet) faults(l load, ends int) []string {
	f.t.Helper()
	f.drain()
	f.stop()
	r := receive(f.t, append(f.taken, f.out.Take()...))
	f.t.Logf("%d batches, %d ends, %d records, %d alerts due, %d reported", len(l.batches), ends, len(r.records), len(l.due()), len(r.opened))
	faults := r.faults(l, ends, true)
	if ends == 0 {
		faults = append(faults, r.twice()...)
	}
	return faults
}

// twice describes the alerts that were reported more than once.
func (r received) twice() (faults []string) {
	reported := map[string][]string{} // instances by id
	for _, s := range r.opened {
		reported[s.id] = append(reported[s.id], s.instance)
	}
	for id, instances := range reported {
		if len(instances) > 1 {
			faults = append(faults, fmt.Sprintf("the alert %s was reported by %s", id, strings.Join(instances, " and by ")))
		}
	}
	return faults
}
