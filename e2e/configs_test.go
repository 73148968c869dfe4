// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"fmt"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"example.com/otelcol-guardrail/e2e/internal/bedrock"
	"example.com/otelcol-guardrail/e2e/internal/collector"
	"example.com/otelcol-guardrail/e2e/internal/sink"
	"example.com/otelcol-guardrail/internal/testing/samplelogs"
)

// shipped runs a collector that exports to a sink.
func shipped(t *testing.T, settings collector.Settings, s *sink.Sink) *collector.Collector {
	t.Helper()
	settings.Env = append(settings.Env, "E2E_OUT="+s.Address)
	return collector.Start(t, settings)
}

// While the backend is unavailable, records and alerts wait on disk, and the next collector sends them.
func TestDurableConfigurationKeepsWhatTheBackendDoesNotAccept(t *testing.T) {
	t.Parallel()
	noAnswer := func(ctx context.Context, _ plog.Logs) error {
		<-ctx.Done()
		return ctx.Err()
	}
	for name, away := range map[string]sink.Behaviour{"refused": sink.Refuse, "unanswered": noAnswer} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			settings := shippedSettings(t, "config/durable.yaml", "otlp_grpc/backend",
				receiveOnSocket, "yaml:exporters::otlp_grpc/backend::timeout: 500ms")
			s := sink.Start(t)
			s.Become(away)
			c := shipped(t, settings, s)
			client := c.Dial(t)
			const batches = 30 // more than are sent concurrently
			for i := range batches {
				require.NoError(t, client.Send(t.Context(), bedrock.Logs(bedrock.Burst(fmt.Sprintf("user-%d", i), 6)...)))
			}
			c.AwaitSample(pending, 0)
			require.Zero(t, c.Stop(syscall.SIGTERM).Code)

			s.Become(sink.Accept)
			s.Take()
			c = shipped(t, settings, s)
			c.AwaitSample("otelcol_exporter_queue_size", 0)
			r := receive(t, s.Take())
			assert.Len(t, r.records, 6*batches)
			assert.Len(t, r.opened, (len(crashRules)-1)*batches, "by all rules except after_a_block")
		})
	}
}

// A batch of records with long prompts exceeds the 4 MiB that an OTLP receiver accepts by default, the backend's included.
func TestDurableConfigurationAcceptsAndSendsLargeBatches(t *testing.T) {
	t.Parallel()
	settings := shippedSettings(t, "config/durable.yaml", "otlp_grpc/backend", receiveOnSocket)
	s := sink.Start(t)
	c := shipped(t, settings, s)
	calls := bedrock.Burst("alice", 60)
	for i := range calls {
		calls[i].Prompt = string(make([]byte, 100_000/6)) // six times as long in JSON
	}
	client := c.Dial(t)
	require.NoError(t, client.Send(t.Context(), bedrock.Logs(calls...)))
	c.AwaitSample("otelcol_exporter_queue_size", 0)
	records := map[string]bool{}
	for _, request := range s.Take() {
		for _, record := range recordsIn(request.Logs) {
			if request.Err == nil && !isAlert(record) {
				records[record.Body().Str()] = true
			}
		}
	}
	assert.Len(t, records, len(calls))
}

// The bucket is read again after each start, but its alerts are not reported again.
func TestBucketConfigurationReportsEachAlertOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, _, err := samplelogs.Write(dir)
	require.NoError(t, err)
	_, truth := sampleLogs(t)
	settings := shippedSettings(t, "config/bedrock-s3.yaml", "otlp_grpc/siem",
		"yaml:processors::gen_ai_guardrail::rules: [{}]", "yaml:receivers::file_log::poll_interval: 50ms")
	settings.Extensions = []string{"file_storage/state"}
	settings.Env = append(settings.Env, "GUARDRAIL_LOGS="+dir)
	s := sink.Start(t)
	for _, want := range []int{len(samplelogs.Expected()) + 1, 0} { // one of them escalates
		c := shipped(t, settings, s)
		c.AwaitSample(invocations, float64(len(truth)))
		require.Zero(t, c.Stop(syscall.SIGTERM).Code) // by then everything has been delivered
		var alerts []alert
		for _, request := range s.Take() {
			alerts = append(alerts, alertsIn(request.Logs)...)
		}
		require.Len(t, alerts, want)
		if want > 0 {
			requireExpected(t, alerts)
		}
	}
}
