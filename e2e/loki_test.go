// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

	"example.com/otelcol-guardrail/e2e/internal/bedrock"
	"example.com/otelcol-guardrail/e2e/internal/collector"
)

// lokiRequest is a request to the stand-in for Loki.
type lokiRequest struct {
	path, contentType string
	logs              plog.Logs
}

// startLoki returns a stand-in for the OTLP endpoint of Loki, which answers as Loki does, and what it receives. It refuses the first
// requests for lack of capacity.
func startLoki(t *testing.T, refusals int) (address string, received <-chan lokiRequest) {
	t.Helper()
	requests := make(chan lokiRequest, 10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := io.Reader(r.Body)
		if r.Header.Get("Content-Encoding") == "gzip" {
			unpacked, err := gzip.NewReader(body)
			if !assert.NoError(t, err) {
				return
			}
			body = unpacked
		}
		content, err := io.ReadAll(body)
		assert.NoError(t, err)
		request := plogotlp.NewExportRequest()
		assert.NoError(t, request.UnmarshalProto(content))
		requests <- lokiRequest{r.URL.Path, r.Header.Get("Content-Type"), request.Logs()}
		if refusals--; refusals >= 0 {
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(server.Close)
	return server.URL, requests
}

func (r lokiRequest) alerts() []alert { return alertsIn(r.logs) }

func await(t *testing.T, requests <-chan lokiRequest) lokiRequest {
	t.Helper()
	select {
	case r := <-requests:
		return r
	case <-time.After(collector.Patience):
		t.Fatal("timed out waiting for a request")
		return lokiRequest{}
	}
}

// Each value of a label is a stream of its own in Loki, and it refuses too many: of what it makes labels by default, alerts keep the
// service's name alone. What an analyst filters by is beside it.
func TestAlertsInLokiAreOneStream(t *testing.T) {
	t.Parallel()
	address, requests := startLoki(t, 1)
	c := collector.Start(t, asShipped(t, "config/loki.yaml", []string{"GUARDRAIL_LOKI=" + address},
		"yaml:exporters::otlp_http/loki::retry_on_failure::initial_interval: 10ms"))
	calls := append(bedrock.Burst("alice", 6), bedrock.Burst("bob", 6)...) // two alerts in one request
	require.NoError(t, c.Dial(t).Send(t.Context(), bedrock.Logs(calls...)))

	refused, accepted := await(t, requests), await(t, requests)
	assert.Equal(t, "/otlp/v1/logs", accepted.path)
	assert.Equal(t, "application/x-protobuf", accepted.contentType)
	require.Len(t, accepted.alerts(), 2)
	assert.Equal(t, refused.alerts(), accepted.alerts(), "what was refused is sent again as it was")
	for _, resourceLogs := range accepted.logs.ResourceLogs().All() {
		resource := resourceLogs.Resource().Attributes().AsRaw()
		assert.Equal(t, "otelcol-guardrail", resource["service.name"])
		for _, label := range []string{"service.instance.id", "service.namespace", "cloud.region", "deployment.environment"} {
			assert.NotContains(t, resource, label)
		}
	}
	for i, a := range accepted.alerts() {
		assert.Equal(t, bedrock.User([]string{"alice", "bob"}[i]), a.user())
		assert.Equal(t, bedrock.Account, a.account())
		assert.Equal(t, "unguarded_invocations", a.rule())
		assert.Equal(t, "open", a.state())
		assert.NotEmpty(t, a.text("service.instance.id"))
		assert.Len(t, a.attributes["gen_ai_guardrail.request_ids"], 6)
		assert.Contains(t, a.body, a.user())
	}
	c.Stop(os.Interrupt) // the log has the refusal
}
