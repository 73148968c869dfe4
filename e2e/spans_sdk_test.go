// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go/middleware"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/contrib/instrumentation/github.com/aws/aws-sdk-go-v2/otelaws"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"example.com/otelcol-guardrail/e2e/internal/collector"
	"example.com/otelcol-guardrail/e2e/internal/sink"
)

// endpoint is a stand-in for Bedrock Runtime, which answers every Converse call.
func endpoint(t *testing.T) string {
	t.Helper()
	requests := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		requests++ // calls are made one after the other
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Amzn-RequestId", fmt.Sprintf("00000000-0000-4000-8000-%012d", requests))
		_, _ = w.Write([]byte(`{"output": {"message": {"role": "assistant", "content": [{"text": "The Elbe."}]}},
			"stopReason": "end_turn", "usage": {"inputTokens": 4, "outputTokens": 3, "totalTokens": 7}, "metrics": {"latencyMs": 5}}`))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// guardrailAttributes is the hook that docs/spans.md shows: it adds what otelaws leaves out.
func guardrailAttributes(_ context.Context, in middleware.InitializeInput, _ middleware.InitializeOutput) []attribute.KeyValue {
	converse, ok := in.Parameters.(*bedrockruntime.ConverseInput)
	if !ok {
		return nil
	}
	attributes := []attribute.KeyValue{attribute.String("gen_ai.request.model", aws.ToString(converse.ModelId))}
	if g := converse.GuardrailConfig; g != nil {
		attributes = append(attributes, attribute.String("aws.bedrock.guardrail.id", aws.ToString(g.GuardrailIdentifier)))
	}
	return attributes
}

// application makes guarded and unguarded Converse calls with the AWS SDK, instrumented with otelaws, and exports its spans to the
// collector.
func application(t *testing.T, c *collector.Collector, guarded, unguarded int, options ...otelaws.Option) {
	t.Helper()
	exporter, err := otlptracehttp.New(t.Context(), otlptracehttp.WithHTTPClient(collector.HTTPClient(c.In)), otlptracehttp.WithInsecure())
	require.NoError(t, err)
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter),
		sdktrace.WithResource(resource.NewSchemaless(attribute.String("service.name", "booking"))))
	client := bedrockruntime.New(bedrockruntime.Options{
		BaseEndpoint: aws.String(endpoint(t)),
		Region:       "eu-central-1",
		Credentials:  credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""),
		HTTPClient:   http.DefaultClient,
	}, func(o *bedrockruntime.Options) {
		otelaws.AppendMiddlewares(&o.APIOptions, append(options, otelaws.WithTracerProvider(provider))...)
	})
	for i := range guarded + unguarded {
		input := &bedrockruntime.ConverseInput{
			ModelId: aws.String("eu.amazon.nova-lite-v1:0"),
			Messages: []types.Message{{
				Role: types.ConversationRoleUser, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: "Name a river."}},
			}},
		}
		if i < guarded {
			input.GuardrailConfig = &types.GuardrailConfiguration{GuardrailIdentifier: aws.String("gr5f2k"), GuardrailVersion: aws.String("2")}
		}
		_, err := client.Converse(t.Context(), input)
		require.NoError(t, err)
	}
	require.NoError(t, provider.Shutdown(t.Context()))
}

// fromSDK runs config/otlp-traces.yaml for an application that exports over HTTP.
func fromSDK(t *testing.T, configs ...string) (*collector.Collector, *sink.Sink) {
	t.Helper()
	s := sink.Start(t)
	dir := t.TempDir()
	c := collector.Start(t, collector.Settings{
		Configs: append([]string{
			"config/otlp-traces.yaml", metricsConfig,
			"yaml:receivers::otlp::protocols: {grpc: {endpoint: '127.0.0.1:0'}, http: {endpoint: '${env:E2E_IN}', transport: unix}}",
		}, configs...),
		Extensions: []string{"file_storage/state", "file_storage/queue"},
		Env: []string{
			"GUARDRAIL_STATE=" + dir + "/state", "GUARDRAIL_QUEUE=" + dir + "/queue",
			"GUARDRAIL_TRACES=" + s.Address, "GUARDRAIL_TRACES_INSECURE=true",
			"GUARDRAIL_SIEM=" + s.Address, "GUARDRAIL_SIEM_INSECURE=true",
		},
	})
	return c, s
}

// tellingSDK is the setting for applications with the hook: otelaws is no longer among the silent scopes.
const tellingSDK = "yaml:connectors::gen_ai_guardrail::silent_scopes: ['@opentelemetry/instrumentation-aws-sdk']"

// With the hook, the calls without a guardrail are reported, under the name of the service.
func TestSpansOfTheGoSDKRaiseAnAlert(t *testing.T) {
	t.Parallel()
	c, s := fromSDK(t, tellingSDK)
	application(t, c, 3, 6, otelaws.WithAttributeBuilder(guardrailAttributes))
	var alerts []alert
	for _, request := range s.Take() {
		alerts = append(alerts, alertsIn(request.Logs)...)
	}
	require.Len(t, alerts, 1)
	assert.Equal(t, "open", alerts[0].state())
	assert.Equal(t, "booking", alerts[0].text("user.id"))
	assert.Equal(t, 6, alerts[0].count())
	assert.Equal(t, []any{"eu.amazon.nova-lite-v1:0"}, alerts[0].attributes["gen_ai_guardrail.models"])
	var unguarded []any // the first three were guarded
	for i := range 6 {
		unguarded = append(unguarded, fmt.Sprintf("00000000-0000-4000-8000-%012d", 4+i))
	}
	assert.Equal(t, unguarded, alerts[0].attributes["gen_ai_guardrail.request_ids"])

	require.Zero(t, c.Stop(syscall.SIGTERM).Code) // the queue of the traces is sent
	spans := 0
	for _, traces := range s.TakeTraces() {
		spans += traces.SpanCount()
	}
	assert.Equal(t, 9, spans, "the traces go on to their own backend")
}

// Without the hook, the spans are the same whether or not a guardrail ran: nobody is accused, and the operator is warned.
func TestSpansOfTheGoSDKWithoutAHookAreUntold(t *testing.T) {
	t.Parallel()
	c, s := fromSDK(t, "yaml:service::telemetry::logs: {level: warn, disable_stacktrace: true}")
	application(t, c, 3, 20)
	assert.Empty(t, s.Take())
	assert.InDelta(t, 23, c.Sample(connectorInvocations+`{evidence="untold",verdict="unknown"}`), 0)
}
