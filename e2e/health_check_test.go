// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/otelcol-guardrail/e2e/internal/bedrock"
	"example.com/otelcol-guardrail/e2e/internal/collector"
	"example.com/otelcol-guardrail/e2e/internal/sink"
)

// statusAware are settings with which the health check looks at the status of components, as docs/operations.md describes it, and does not
// wait for a recovery.
func statusAware(settings collector.Settings) collector.Settings {
	settings.Args = []string{"--feature-gates=+extension.healthcheck.useComponentStatus"}
	settings.Configs = append(settings.Configs, "yaml:extensions::health_check::component_health::include_recoverable_errors: true")
	return settings
}

// awaitHealth waits until the health check answers with a code. It returns the answer.
func awaitHealth(t *testing.T, c *collector.Collector, code int) (body string) {
	t.Helper()
	require.Eventually(t, func() bool {
		var status int
		status, body = c.Health()
		return status == code
	}, collector.Patience, 50*time.Millisecond, "the health check does not answer %d", code)
	return body
}

// Whoever probes the collector's health sees that alerts are not delivered, and that they are again.
func TestHealthCheckShowsUndeliveredAlerts(t *testing.T) {
	t.Parallel()
	m := newMemory(t)
	c := collector.Start(t, statusAware(m.settings()))
	client := c.Dial(t)
	m.sink.Become(sink.To(holdsAlerts, sink.Refuse))
	require.NoError(t, client.Send(t.Context(), bedrock.Logs(bedrock.Burst("alice", 6)...)))
	body := awaitHealth(t, c, http.StatusInternalServerError)
	assert.Contains(t, body, "alerts are waiting for delivery")
	assert.Contains(t, body, `"processor:gen_ai_guardrail":{"healthy":false`)
	m.sink.Become(sink.Accept)
	assert.NotContains(t, awaitHealth(t, c, http.StatusOK), "waiting")
	c.Stop(syscall.SIGTERM) // its log has a warning about the form of the health check's settings
}

// Without the gate, the health check says that the collector runs, and nothing else.
func TestHealthCheckWithoutTheGateShowsThatTheCollectorRuns(t *testing.T) {
	t.Parallel()
	m := newMemory(t)
	p := m.start(t)
	m.sink.Become(sink.To(holdsAlerts, sink.Refuse))
	require.NoError(t, p.Send(t.Context(), bedrock.Logs(bedrock.Burst("alice", 6)...)))
	status, _ := p.Health()
	assert.Equal(t, http.StatusOK, status)
	m.sink.Become(sink.Accept)
}
