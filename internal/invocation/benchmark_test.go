// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation_test

import (
	"testing"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"example.com/otelcol-guardrail/internal/invocation"
)

// benchOptions are settings like the defaults of the components.
var benchOptions = invocation.Options{
	GuardrailKeys: []string{
		"gen_ai.guardrail_id", "gen_ai.guardrail.id", "aws.bedrock.guardrail.id", "gen_ai.bedrock.guardrail.id",
		"gen_ai.guardrail.policy.id",
	},
	UserKeys: []string{
		"user.id", "enduser.id", "enduser.pseudo.id", "gen_ai.request.user", "traceloop.association.properties.user_id",
		"service.name",
	},
	Providers:    []string{"aws.bedrock", "bedrock", "amazon.bedrock", "bedrock.converse", "aws"},
	SilentScopes: []string{"opentelemetry.instrumentation.botocore*", "openlit*"},
	UnguardableModels: []string{
		"amazon.titan-embed-*", "amazon.nova-*embed*", "cohere.embed-*", "*.rerank-*", "amazon.nova-*sonic*",
	},
}

// benchFacts are the attributes of one call, by what the call is.
var benchFacts = []struct {
	name   string
	called bool
	attrs  map[string]any
}{
	{"guarded", true, map[string]any{
		"gen_ai.operation.name": "chat", "gen_ai.provider.name": "aws.bedrock", "gen_ai.request.model": "amazon.nova-lite-v1:0",
		"gen_ai.request.max_tokens": 256, "gen_ai.usage.input_tokens": 11, "gen_ai.usage.output_tokens": 52,
		"gen_ai.response.id": "4b0f6c1e", "aws.bedrock.guardrail.id": "u3v9w1x7:2", "server.address": "bedrock-runtime.eu-west-1.amazonaws.com",
		"user.id": "wren",
	}},
	{"unguarded", true, map[string]any{
		"gen_ai.operation.name": "chat", "gen_ai.provider.name": "aws.bedrock", "gen_ai.request.model": "amazon.nova-lite-v1:0",
		"gen_ai.request.max_tokens": 256, "gen_ai.usage.input_tokens": 11, "gen_ai.usage.output_tokens": 52,
		"gen_ai.response.id": "4b0f6c1e", "gen_ai.response.finish_reasons": []any{"end_turn"}, "server.address": "bedrock-runtime.eu-west-1.amazonaws.com",
		"user.id": "wren",
	}},
	{"foreign", false, map[string]any{
		"http.request.method": "GET", "url.full": "https://example.com/menu", "server.address": "example.com", "server.port": 443,
		"http.response.status_code": 200, "network.protocol.version": "1.1", "user_agent.original": "curl/8", "thread.id": 12,
		"code.function.name": "render", "enduser.role": "cook",
	}},
}

// benchSurroundings returns a resource and a scope as SDKs write them.
func benchSurroundings() (pcommon.Resource, pcommon.InstrumentationScope) {
	resource, scope := pcommon.NewResource(), pcommon.NewInstrumentationScope()
	resource.Attributes().PutStr("service.name", "menu")
	resource.Attributes().PutStr("service.instance.id", "menu-1")
	resource.Attributes().PutStr("telemetry.sdk.language", "go")
	scope.SetName("example.com/menu")
	return resource, scope
}

// BenchmarkRead is the cost of a log record.
func BenchmarkRead(b *testing.B) {
	for _, facts := range benchFacts {
		b.Run(facts.name, func(b *testing.B) {
			record := plog.NewLogRecord()
			if facts.called {
				record.SetEventName("gen_ai.client.inference.operation.details")
			}
			if err := record.Attributes().FromRaw(facts.attrs); err != nil {
				b.Fatal(err)
			}
			resource, scope := benchSurroundings()
			reader := invocation.NewReader(benchOptions)
			var inv invocation.Invocation
			reader.Enter(resource, scope, &inv)
			b.ReportAllocs()
			for b.Loop() {
				if reader.Read(record, &inv) != facts.called {
					b.Fatal("misread")
				}
			}
		})
	}
	for _, body := range []string{"Converse", "InvokeModel"} {
		b.Run(body, func(b *testing.B) {
			resource, scope, log := only(logsOf(guardedBody(body, "Soup.")))
			reader := invocation.NewReader(benchOptions)
			var inv invocation.Invocation
			reader.Enter(resource, scope, &inv)
			b.ReportAllocs()
			for b.Loop() {
				if !reader.Read(log, &inv) {
					b.Fatal("misread")
				}
			}
		})
	}
}

// BenchmarkReadSpan is the cost of a span with the same facts as the log records of
// [BenchmarkRead].
func BenchmarkReadSpan(b *testing.B) {
	for _, facts := range benchFacts {
		b.Run(facts.name, func(b *testing.B) {
			span := ptrace.NewSpan()
			if err := span.Attributes().FromRaw(facts.attrs); err != nil {
				b.Fatal(err)
			}
			resource, scope := benchSurroundings()
			reader := invocation.NewReader(spanDefaults())
			var inv invocation.Invocation
			reader.Enter(resource, scope, &inv)
			b.ReportAllocs()
			for b.Loop() {
				if reader.ReadSpan(span, &inv) != facts.called {
					b.Fatal("misread")
				}
			}
		})
	}
}
