// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"example.com/otelcol-guardrail/e2e/internal/bedrock"
	"example.com/otelcol-guardrail/e2e/internal/collector"
	"example.com/otelcol-guardrail/e2e/internal/sink"
)

// What a collector logs during a reload.
const (
	infoLogs   = "yaml:service::telemetry::logs: {level: info, disable_stacktrace: true}" // for Reload
	reloading  = "Config updated, restart service"
	startEmpty = "it starts empty and forgets what it has counted"
)

// configFile is a configuration that a test changes while a collector runs.
type configFile string

func newConfigFile(t *testing.T) configFile {
	t.Helper()
	return configFile(filepath.Join(t.TempDir(), "changing.yaml"))
}

func (f configFile) write(t *testing.T, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(string(f), []byte(text), 0o600))
}

// setThreshold writes two rules, of which one has the given threshold.
func (f configFile) setThreshold(t *testing.T, threshold int) {
	t.Helper()
	f.write(t, fmt.Sprintf("processors: {gen_ai_guardrail: {rules: [{id: kept}, {id: changed, threshold: %d}]}}", threshold))
}

// reload has the collector read its configuration again, and connects to it.
func (p *pipeline) reload(t *testing.T) {
	t.Helper()
	p.Reload()
	p.Client = p.Dial(t)
}

// A rule that is tuned again and again while records arrive costs none of them, and no alert of another rule.
func TestReloadsUnderLoadLoseNothing(t *testing.T) {
	t.Parallel()
	const reloads = 6
	l := scaleLoad(t, 50*(reloads+1))
	rules, err := os.ReadFile("testdata/crash.yaml")
	require.NoError(t, err)
	file := newConfigFile(t)
	configure := func(n int) {
		file.write(t, fmt.Sprintf("%s      - {id: changed, threshold: %d}\n"+
			"service: {telemetry: {resource: {attributes: [{name: service.instance.id, value: start %d}]}}}\n", rules, 1000+n, n))
	}
	configure(0)
	m := newMemory(t)
	c := collector.Start(t, m.settings(string(file), infoLogs))
	connect, accepted := overOTLP(t, l.batches, m.sink)
	connect(c)
	for n := range reloads {
		accepted.await(t, (n+1)*len(l.batches)/(reloads+1))
		configure(n + 1)
		c.Reload()
	}
	accepted.await(t, len(l.batches))
	result := c.Stop(syscall.SIGTERM)
	require.True(t, result.Clean(), result.Stderr)
	assert.Equal(t, reloads, strings.Count(result.Stderr, reloading))
	assert.Equal(t, reloads, strings.Count(result.Stderr, startEmpty), "once for the rule that changed")
	assert.NotContains(t, result.Stderr, "Two pipelines use this processor", "the instances before are gone")

	r := receive(t, m.sink.Take()).inOrder()
	r.opened = slices.DeleteFunc(r.opened, func(s sighting) bool { return s.rule == "changed" })
	t.Logf("%d batches, %d records, %d alerts due, %d reported twice", len(l.batches), len(r.records), len(l.due()), len(r.twice()))
	assert.Empty(t, r.faults(l, reloads, false))
}

func TestAReloadKeepsTheStateOfRulesThatCountTheSame(t *testing.T) {
	t.Parallel()
	file, m := newConfigFile(t), newMemory(t)
	file.setThreshold(t, 5)
	alice, bob := bedrock.Burst("alice", 10), bedrock.Logs(bedrock.Burst("bob", 6)...)
	p := m.start(t, string(file), infoLogs)
	require.Empty(t, p.pass(t, bedrock.Logs(alice[:5]...)))
	known := p.pass(t, bob)
	require.Len(t, known, 2)

	file.setThreshold(t, 4)
	p.reload(t)
	again := p.pass(t, bob)
	require.Len(t, again, 1, "the rule that changed counts anew")
	assert.Equal(t, "changed", again[0].rule())
	assert.Contains(t, []string{known[0].id(), known[1].id()}, again[0].id())
	raised := p.pass(t, bedrock.Logs(alice[5]))
	require.Len(t, raised, 1)
	assert.Equal(t, "kept", raised[0].rule())
	assert.Equal(t, 6, raised[0].count())
	raised = p.pass(t, bedrock.Logs(alice[6:]...))
	require.Len(t, raised, 1)
	assert.Equal(t, "changed", raised[0].rule())
	assert.Equal(t, 5, raised[0].count())

	p.reload(t)
	assert.Empty(t, p.pass(t, bob), "nothing has changed")
	result := p.Stop(syscall.SIGTERM)
	assert.True(t, result.Clean())
	assert.Equal(t, 1, strings.Count(result.Stderr, startEmpty))
}

func TestAReloadWithoutStorageForgets(t *testing.T) {
	t.Parallel()
	p := start(t, infoLogs)
	alice := bedrock.Burst("alice", 11)
	require.Empty(t, p.pass(t, bedrock.Logs(alice[:5]...)))
	p.reload(t)
	require.Empty(t, p.pass(t, bedrock.Logs(alice[5])))
	raised := p.pass(t, bedrock.Logs(alice[6:]...))
	require.Len(t, raised, 1)
	assert.Equal(t, 6, raised[0].count())
	assert.True(t, p.Stop(syscall.SIGTERM).Clean())
}

// A reload waits for what was received before it. Until the new settings run, the collector is reported as not ready.
func TestAReloadAnswersTheRequestsInFlight(t *testing.T) {
	t.Parallel()
	p := start(t, infoLogs)
	barrier := sink.NewBarrier()
	p.sink.Become(sink.To(holdsRecords, barrier.Hold))
	logs := bedrock.Logs(bedrock.Burst("alice", 6)...)
	answer := make(chan error, 1)
	go func() { answer <- p.Send(t.Context(), logs) }()
	barrier.AwaitHeld(t)
	p.Signal(syscall.SIGHUP)
	p.AwaitHealth(http.StatusServiceUnavailable)
	barrier.Open()
	require.NoError(t, <-answer)
	p.AwaitHealth(http.StatusOK)
	_, raised := p.taken(t, logs)
	assert.Len(t, raised, 1)
	assert.Contains(t, p.Stop(syscall.SIGTERM).Stderr, reloading)
}

// The collector reads the new configuration when it has already shut down the old one: a mistake ends it, but not what it knows.
func TestAReloadWithAMistakeEndsTheCollectorAndKeepsItsState(t *testing.T) {
	t.Parallel()
	file, m := newConfigFile(t), newMemory(t)
	file.setThreshold(t, 5)
	alice := bedrock.Burst("alice", 6)
	p := m.start(t, string(file))
	require.Empty(t, p.pass(t, bedrock.Logs(alice[:4]...)))

	const mistake = "threshold: -1"
	file.setThreshold(t, -1)
	checked := collector.Run(t, append(m.settings().Env, otlpEnv[0]), "validate", "--config", "e2e/testdata/otlp.yaml", "--config", string(file))
	assert.Equal(t, 1, checked.Code)
	assert.Contains(t, checked.Stderr, mistake)
	require.Empty(t, p.pass(t, bedrock.Logs(alice[4])), "a changed file alone changes nothing")

	p.Signal(syscall.SIGHUP)
	result := p.Wait()
	assert.Equal(t, 1, result.Code)
	assert.Contains(t, result.Stderr, mistake)

	file.setThreshold(t, 5)
	p = m.start(t, string(file))
	assert.Len(t, p.pass(t, bedrock.Logs(alice[5])), 2)
}

// A connector is one instance for several pipelines, before a reload and after it.
func TestAReloadKeepsTheStateOfAConnector(t *testing.T) {
	t.Parallel()
	s := sink.Start(t)
	c := collector.Start(t, collector.Settings{
		Configs: []string{
			"e2e/testdata/spans.yaml", infoLogs,
			"yaml:connectors::gen_ai_guardrail: {storage: file_storage/state}",
			"yaml:extensions::file_storage/state: {directory: '${env:E2E_STATE}', create_directory: true}",
			"yaml:service::pipelines::logs/in: {receivers: [otlp], exporters: [gen_ai_guardrail]}",
		},
		Extensions: []string{"file_storage/state"},
		Env:        []string{"E2E_OUT=" + s.Address, "E2E_STATE=" + filepath.Join(t.TempDir(), "state")},
	})
	p := pipeline{Collector: c, sink: s}
	for n := range 6 {
		require.Empty(t, s.Take())
		p.postTraces(t, span(n))
		c.Reload()
	}
	requests := s.Take()
	require.Len(t, requests, 1)
	raised := alertsIn(requests[0].Logs)
	require.Len(t, raised, 1)
	assert.Equal(t, 6, raised[0].count())
	assert.True(t, c.Stop(syscall.SIGTERM).Clean())
}

// span returns the span of a user's nth call, without a guardrail.
func span(n int) ptrace.Traces {
	call := bedrock.Burst("alice", n+1)[n]
	traces := ptrace.NewTraces()
	span := traces.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	span.SetTraceID(pcommon.TraceID{1, byte(n)})
	span.SetSpanID(pcommon.SpanID{1})
	span.SetStartTimestamp(pcommon.NewTimestampFromTime(call.Time))
	span.SetEndTimestamp(pcommon.NewTimestampFromTime(call.Time))
	span.Attributes().PutStr("gen_ai.operation.name", "chat")
	span.Attributes().PutStr("gen_ai.provider.name", "aws.bedrock")
	span.Attributes().PutStr("gen_ai.request.model", call.Model)
	span.Attributes().PutStr("user.id", call.User)
	return traces
}
