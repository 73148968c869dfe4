// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"example.com/otelcol-guardrail/e2e/internal/bedrock"
	"example.com/otelcol-guardrail/e2e/internal/collector"
	"example.com/otelcol-guardrail/e2e/internal/sink"
)

// ward is a Prometheus that watches collectors in trouble. It remembers which rules have fired and gone silent.
type ward struct {
	*monitoring

	mu    sync.Mutex // guards cured
	cured map[string]bool
}

// sick waits until rules fire, each with these labels among others.
func (w *ward) sick(t *testing.T, labels map[string]string, rules ...string) {
	t.Helper()
	for _, rule := range rules {
		w.AwaitFiring(t, rule, labels)
	}
}

// provoke causes trouble that does not last, again and again, until a rule fires.
func (w *ward) provoke(t *testing.T, instance, rule string, cause func(i int)) {
	t.Helper()
	i := 0
	w.Await(t, rule+" to fire", func() bool {
		if w.Fires(t, rule, at(instance)) {
			return true
		}
		cause(i)
		i++
		return false
	})
}

// well waits until rules that have fired are silent.
func (w *ward) well(t *testing.T, labels map[string]string, rules ...string) {
	t.Helper()
	for _, rule := range rules {
		w.AwaitSilence(t, rule, labels)
		w.mu.Lock()
		w.cured[rule] = true
		w.mu.Unlock()
	}
}

func at(instance string) map[string]string { return map[string]string{"instance": instance} }

func of(account string) map[string]string { return map[string]string{"cloud_account_id": account} }

// A detector that goes blind says so: each rule fires while its trouble lasts, and not for longer. The queries of the dashboard then have
// something to show.
func TestEachHealthRuleFiresWhileItsTroubleLasts(t *testing.T) {
	t.Parallel()
	w := &ward{monitoring: monitor(t, ""), cured: map[string]bool{}}
	traffic := blindSpots(t, w) // goes on for the dashboard
	t.Run("troubles", func(t *testing.T) {
		for name, trouble := range map[string]func(*testing.T, *ward){
			"blind spots": traffic, "down": collectorDown, "storage": storageFails, "memory": memoryFull, "outbox": alertsRefused, "queue": queueFull,
			"connector": connectorIsWatched,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				trouble(t, w)
			})
		}
	})
	t.Run("no rule is left out", func(t *testing.T) {
		for _, rule := range shippedRules(t, "config/prometheus/health.yaml") {
			assert.True(t, w.cured[rule], "%s", rule)
		}
	})
	t.Run("dashboard", func(t *testing.T) { checkQueries(t, w.monitoring) })
}

// shippedRules returns the names of the alerts in a file of rules.
func shippedRules(t *testing.T, path string) (names []string) {
	t.Helper()
	for _, group := range shippedYAML(t, path)["groups"].([]any) {
		for _, rule := range group.(map[string]any)["rules"].([]any) {
			names = append(names, rule.(map[string]any)["alert"].(string))
		}
	}
	require.NotEmpty(t, names)
	return names
}

// blindSpots starts a collector. It returns a test of what records can lack, which leaves sound traffic behind.
func blindSpots(t *testing.T, w *ward) func(*testing.T, *ward) {
	t.Helper()
	const large, small = "111122223333", "444455556666"
	c := shipped(t, counting(t), sink.Start(t))
	t.Cleanup(func() { c.Stop(syscall.SIGTERM) }) // its log has warnings about what it cannot judge
	w.watch(t, "records", c)
	w.scrape(t, countsJob, "records", c.CountsAddress())
	traffic := sendTraffic(t, c.Dial(t), "records")
	sound := func(calls *callMaker) plog.Logs {
		return anonymous(calls.make(6, large, "gr4uncovered"), calls.make(1, large, ""), calls.make(1, small, "gr4uncovered"))
	}
	poor := func(calls *callMaker) plog.Logs {
		logs := anonymous(late(calls.make(3, large, "")), nobody(calls.make(2, large, "")), calls.make(1, large, "gr4uncovered"))
		records := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
		cutOff := calls.make(1, large, "")[0].Body()
		records.AppendEmpty().Body().SetStr(cutOff[:len(cutOff)-40])
		two := calls.make(2, large, "")
		records.AppendEmpty().Body().SetStr(two[0].Body() + " " + two[1].Body())
		silent := telemetry(calls.make(2, large, ""))
		silent.ResourceLogs().At(0).ScopeLogs().At(0).Scope().SetName("opentelemetry.instrumentation.botocore.bedrock-runtime")
		silent.ResourceLogs().MoveAndAppendTo(logs.ResourceLogs())
		return logs
	}
	traffic.become(sound)
	return func(t *testing.T, w *ward) {
		t.Helper()
		w.AwaitResult(t, `increase(gen_ai_guardrail_account_invocations_total{cloud_account_id="`+large+`", gen_ai_guardrail_verdict="guarded"}[30s]) > 200`)
		traffic.become(poor)
		shares := []string{
			"InvocationsUnknown", "InvocationsUnreadable", "InvocationsUntold", "InvocationsSeveral", "InvocationsWithoutGroup",
			"ArrivalDelayAboveRetention",
		}
		w.sick(t, at("records"), shares...)
		w.sick(t, of(large), "GuardedShareDropped")
		w.sick(t, of(small), "NoInvocationsFromAccount")
		traffic.become(sound)
		w.well(t, at("records"), shares...)
		w.well(t, of(large), "GuardedShareDropped")
		w.well(t, of(small), "NoInvocationsFromAccount")

		traffic.become(nil)
		w.sick(t, at("records"), "NoInvocations")
		traffic.become(sound)
		w.well(t, at("records"), "NoInvocations")
	}
}

// connectorIsWatched checks that the rules know the connector's metrics: by the names of the processor's.
func connectorIsWatched(t *testing.T, w *ward) {
	t.Helper()
	p := start(t, metricsConfig, "yaml:connectors::gen_ai_guardrail: {}",
		"yaml:service::pipelines::logs: {processors: [], exporters: [gen_ai_guardrail]}",
		"yaml:service::pipelines::logs/alerts: {receivers: [gen_ai_guardrail], exporters: [otlp_grpc]}")
	w.watch(t, "connector", p.Collector)
	require.NoError(t, p.Send(t.Context(), bedrock.Logs(bedrock.Burst("alice", 6)...)))
	w.AwaitResult(t, `otelcol_processor_gen_ai_guardrail_invocations{instance="connector", component="connector"} == 6`)
	w.AwaitResult(t, `otelcol_processor_gen_ai_guardrail_invocations{component="processor"}`)
}

func collectorDown(t *testing.T, w *ward) {
	t.Helper()
	p := start(t, metricsConfig)
	w.watch(t, "down", p.Collector)
	w.AwaitResult(t, `up{instance="down"} == 1`)
	p.Stop(syscall.SIGTERM)
	w.sick(t, at("down"), "CollectorDown")
	w.watch(t, "down", start(t, metricsConfig).Collector)
	w.well(t, at("down"), "CollectorDown")
}

func storageFails(t *testing.T, w *ward) {
	t.Helper()
	m := newMemory(t)
	p := m.start(t, metricsConfig, "yaml:extensions::file_storage/state::max_size: 65536")
	w.watch(t, "storage", p.Collector)
	w.provoke(t, "storage", "StateNotStored", func(i int) {
		require.NoError(t, p.Send(t.Context(), bedrock.Logs(crowd(fmt.Sprintf("many%d", i), 100)...)))
	})
	p.Stop(syscall.SIGKILL)
	w.watch(t, "storage", m.start(t, metricsConfig).Collector)
	w.well(t, at("storage"), "StateNotStored")
}

func memoryFull(t *testing.T, w *ward) {
	t.Helper()
	p := start(t, metricsConfig, processor("max_state_mib: 16, rules: [{alert: {limit: 1}}]"))
	w.watch(t, "memory", p.Collector)
	w.AwaitResult(t, `otelcol_processor_gen_ai_guardrail_groups_evicted{instance="memory"} == 0`)
	w.provoke(t, "memory", "AlertsLimited", func(i int) {
		require.NoError(t, p.Send(t.Context(), bedrock.Logs(bedrock.Burst(fmt.Sprintf("user-%d", i), 6)...)))
	})
	w.provoke(t, "memory", "GroupsForgotten", func(i int) {
		var calls []bedrock.Call
		for n := range 3000 {
			calls = append(calls, bedrock.Burst(fmt.Sprintf("%d-%d", i, n), 1)...)
		}
		require.NoError(t, p.Send(t.Context(), bedrock.Logs(calls...)))
		p.sink.Take()
	})
	w.sick(t, at("memory"), "StateNearLimit")
	p.Stop(syscall.SIGTERM)
	w.watch(t, "memory", start(t, metricsConfig).Collector)
	w.well(t, at("memory"), "AlertsLimited", "GroupsForgotten", "StateNearLimit")
}

func alertsRefused(t *testing.T, w *ward) {
	t.Helper()
	p := start(t, metricsConfig)
	w.watch(t, "outbox", p.Collector)
	p.sink.Become(sink.To(holdsAlerts, sink.Refuse))
	require.NoError(t, p.Send(t.Context(), bedrock.Logs(bedrock.Burst("alice", 6)...)))
	w.sick(t, at("outbox"), "AlertsUndelivered")
	p.sink.Become(sink.Accept)
	w.well(t, at("outbox"), "AlertsUndelivered")
	p.sink.Become(sink.To(holdsAlerts, sink.Reject))
	w.provoke(t, "outbox", "AlertsDropped", func(i int) {
		require.NoError(t, p.Send(t.Context(), bedrock.Logs(bedrock.Burst(fmt.Sprintf("user-%d", i), 6)...)))
	})
	p.sink.Become(sink.Accept)
	w.well(t, at("outbox"), "AlertsDropped")
	p.Stop(os.Interrupt) // its log has errors about the dropped alerts
}

func queueFull(t *testing.T, w *ward) {
	t.Helper()
	p := start(t, metricsConfig, processor("annotate: true, rules: []"),
		"yaml:exporters::otlp_grpc: {sending_queue: {enabled: true, queue_size: 10, num_consumers: 1}, retry_on_failure: {enabled: true, initial_interval: 100ms, max_interval: 100ms}}")
	w.watch(t, "queue", p.Collector)
	traffic := sendTraffic(t, p.Client, "queue")
	p.sink.Become(sink.Refuse)
	traffic.become(func(calls *callMaker) plog.Logs { return anonymous(nobody(calls.make(2, bedrock.Account, ""))) })
	w.sick(t, at("queue"), "QueueFillsUp", "InvocationsWithoutPartition")
	p.sink.Become(sink.Reject)
	w.sick(t, at("queue"), "RecordsDropped")
	p.sink.Become(sink.Accept)
	traffic.become(func(calls *callMaker) plog.Logs { return anonymous(calls.make(2, bedrock.Account, "")) })
	w.well(t, at("queue"), "QueueFillsUp", "InvocationsWithoutPartition", "RecordsDropped")
	p.Stop(os.Interrupt) // its log has errors about what was dropped
}

// Whoever follows the link of an alert must find what it means and what to do.
func TestHealthRulesAreExplained(t *testing.T) {
	t.Parallel()
	root := collector.Root(t)
	page, err := os.ReadFile(filepath.Join(root, "docs", "operations.md"))
	require.NoError(t, err)
	var headings []string
	for line := range strings.Lines(string(page)) {
		if heading, ok := strings.CutPrefix(line, "### "); ok {
			headings = append(headings, strings.TrimSpace(heading))
		}
	}
	for _, rule := range shippedRules(t, "config/prometheus/health.yaml") {
		assert.Contains(t, headings, rule, "docs/operations.md says nothing about %s", rule)
	}
	rules, err := os.ReadFile(filepath.Join(root, "config", "prometheus", "health.yaml"))
	require.NoError(t, err)
	for _, rule := range shippedRules(t, "config/prometheus/health.yaml") {
		assert.Contains(t, string(rules), "operations.md#"+strings.ToLower(rule)+`"`)
	}
}
