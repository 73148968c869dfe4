// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/otelcol-guardrail/e2e/internal/bedrock"
	"example.com/otelcol-guardrail/e2e/internal/collector"
	"example.com/otelcol-guardrail/e2e/internal/sink"
	"example.com/otelcol-guardrail/internal/testing/samplelogs"
)

// The processor's metrics under the names that dashboards use.
const (
	metrics     = "otelcol_processor_gen_ai_guardrail_"
	invocations = metrics + "invocations"
	excluded    = metrics + "invocations_excluded"
	alertsMade  = metrics + "alerts"
	pending     = metrics + "alerts_pending"
	dropped     = metrics + "alerts_dropped"
	groups      = metrics + "groups"
	delays      = metrics + "arrival_delay_count"
	stateErrors = metrics + "state_errors"
	duplicates  = excluded + `{reason="duplicate",rule="unguarded_invocations"}`
	unreadable  = invocations + `{evidence="unreadable",verdict="unknown"}`
)

const metricsConfig = "e2e/testdata/metrics.yaml"

func TestMetricsCountInvocationsAndAlerts(t *testing.T) {
	t.Parallel()
	p := start(t, metricsConfig)
	logs, truth := sampleLogs(t)
	p.pass(t, logs)

	want := map[string]float64{}
	seen, callers := map[string]bool{}, map[string]bool{}
	for _, invocation := range truth {
		want[fmt.Sprintf("%s{evidence=%q,verdict=%q}", invocations, invocation.Evidence, invocation.Verdict)]++
		if invocation.Verdict != "unguarded" {
			continue
		}
		want[delays]++
		if seen[invocation.RequestID] {
			want[duplicates]++
		}
		seen[invocation.RequestID] = true
		callers[invocation.User+invocation.Account] = true
	}
	require.NotZero(t, want[duplicates])
	const rule = `rule="unguarded_invocations"`
	want[alertsMade+"{"+rule+`,state="open"}`] = float64(len(samplelogs.Expected()))
	want[alertsMade+"{"+rule+`,state="escalated"}`] = 1
	want[pending+"{"+rule+"}"] = 0
	want[groups+"{"+rule+"}"] = float64(len(callers))

	got := collector.Samples(p.Scrape())
	for name := range got {
		family, _, _ := strings.Cut(name, "{")
		switch family {
		case invocations, excluded, alertsMade, pending, groups, delays:
		default:
			delete(got, name)
		}
	}
	assert.Equal(t, want, got)
}

func TestMetricsShowPendingAndDroppedAlerts(t *testing.T) {
	t.Parallel()
	p := start(t, metricsConfig)
	p.sink.Become(sink.To(holdsAlerts, sink.Refuse))
	require.NoError(t, p.Send(t.Context(), bedrock.Logs(bedrock.Burst("alice", 6)...)))
	p.AwaitSample(pending, 1)
	p.sink.Become(sink.Accept)
	p.sink.Await(t, func(r sink.Request) bool { return r.Err == nil && holdsAlerts(r.Logs) })
	p.AwaitSample(pending, 0)
	p.AwaitSample(dropped, 0)

	p.sink.Become(sink.To(holdsAlerts, sink.Reject))
	require.NoError(t, p.Send(t.Context(), bedrock.Logs(bedrock.Burst("bob", 6)...)))
	p.AwaitSample(dropped, 1)
	p.AwaitSample(pending, 0)
	assert.InDelta(t, 2, p.Sample(alertsMade), 0)
	p.Stop(os.Interrupt) // its log has an error about the dropped alert
}
