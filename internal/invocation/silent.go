// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import (
	"slices"
	"strconv"
	"strings"
)

// LogSilentScopes returns the instrumentations whose log records are known to look the
// same whether or not a guardrail ran. An entry is a [Glob] of an instrumentation scope's
// name. With " < " and a version after it, it means only the versions before that one,
// not a scope without a version.
func LogSilentScopes() []string {
	return []string{
		"opentelemetry.instrumentation.botocore*", "opentelemetry.instrumentation.bedrock*",
		"opentelemetry.instrumentation.openai*", "opentelemetry.instrumentation.langchain*",
		"opentelemetry.instrumentation.genai*", "opentelemetry.util.genai*", "openlit*",
		"@opentelemetry/instrumentation-openai", "@elastic/opentelemetry-instrumentation-openai",
		"io.opentelemetry.aws-sdk-2.2",
		"agent_framework*", "semantic_kernel*", "Microsoft.Extensions.AI*", "pydantic-ai*",
		"agentgateway*", "bifrost*",
	}
}

// SpanSilentScopes returns the instrumentations whose spans are known to look the same
// whether or not a guardrail ran, in the form of [LogSilentScopes]. An entry also matches
// the name of an instrumentation that is recognised by an attribute, whatever its scope
// is called: openinference, strands, ai, ai.koog and aws-sdk-rust (see [instrumentationMarks]).
//
// OpenLLMetry Python's Bedrock instrumentation and OpenTelemetry Java's for the AWS SDK
// are in the list only in versions before their spans named the guardrail of every
// guarded call.
func SpanSilentScopes() []string {
	return []string{
		// OpenTelemetry and distributions of it.
		"opentelemetry.instrumentation.botocore*", "opentelemetry.instrumentation.aiobotocore*",
		"opentelemetry.instrumentation.genai*", "opentelemetry.util.genai*",
		"@opentelemetry/instrumentation-aws-sdk", "@opentelemetry/instrumentation-openai",
		"@elastic/opentelemetry-instrumentation-openai", "io.opentelemetry.openai-java-*", "OpenAI.*",
		"io.opentelemetry.aws-sdk-1.11", "io.opentelemetry.aws-sdk-2.2 < 2.32",
		"go.opentelemetry.io/contrib/instrumentation/github.com/aws/aws-sdk-go-v2/otelaws",
		"AWSSDK*", "Amazon.AWS.AWSClientInstrumentation", "OpenTelemetry::Instrumentation::*",
		"io.opentelemetry.contrib.php.aws*", "aws.sdk.kotlin.*", "aws-sdk-rust", "github.com/aws/aws-sdk-go-v2/service/*",
		"amazon.opentelemetry.distro*",
		// OpenLLMetry.
		"opentelemetry.instrumentation.bedrock < 0.46",
		"opentelemetry.instrumentation.openai*", "opentelemetry.instrumentation.langchain*",
		"opentelemetry.instrumentation.llamaindex*", "opentelemetry.instrumentation.haystack*",
		"opentelemetry.instrumentation.anthropic*", "opentelemetry.instrumentation.cohere*",
		"opentelemetry.instrumentation.mistralai*", "opentelemetry.instrumentation.crewai*",
		"opentelemetry.instrumentation.agno*", "opentelemetry.instrumentation.sagemaker*",
		"opentelemetry.instrumentation.litellm*", "traceloop*",
		"@traceloop/*",
		// OpenInference, OpenLIT and others that observe models.
		"openinference*", "@arizeai/openinference-*", "openlit*", "@openlit/*", "langfuse*", "@langfuse/*",
		"langsmith*", "litellm*", "logfire*", "traceai*", "llm_tracekit*", "mlflow*",
		"langtrace_python_sdk*",
		// Frameworks with telemetry of their own.
		"ai", "gen_ai", "strands*", "@strands-agents/*", "pydantic-ai*", "pydantic_ai*", "agno*", "autogen*",
		"@mastra/*", "genkit*", "org.springframework.boot", "io.quarkus.opentelemetry", "Microsoft.SemanticKernel*",
		"Microsoft.Extensions.AI*", "Experimental.Microsoft.*", "Microsoft.Agents.AI*",
		"agent_framework*", "semantic_kernel*", "ai.koog*", "opentelemetry.instrumentation.ag2*",
		"mirascope*", "req_llm",
		// Gateways with telemetry of their own.
		"agentgateway*", "bifrost*", "tensorzero*", "kong-internal",
	}
}

// instrumentationMarks are attributes that only one instrumentation writes. It may do so
// in a scope with any name: that of the application, or one that its users choose.
var instrumentationMarks = []struct {
	key  key
	name string
}{
	{keySpanKind, "openinference"},
	{keyStrandsTime, "strands"},
	{keyAIOperation, "ai"},
	{keyKoogEvent, "ai.koog"},
	{keyRustInvocation, "aws-sdk-rust"},
}

// silentMarks returns those of the [instrumentationMarks] whose name is in the settings.
func silentMarks(scopes []string) (set keySet) {
	for _, mark := range instrumentationMarks {
		if slices.ContainsFunc(scopes, func(entry string) bool { return matchesScope(entry, mark.name, "") }) {
			set |= 1 << mark.key
		}
	}
	return set
}

// silent reports whether the records of a scope are known to look the same whether
// or not a guardrail ran. The answer is kept in scope.
func (r *Reader) silent(scope *scopeState) bool {
	if !scope.checked {
		scope.checked = true
		scope.silent = scope.name != "" && slices.ContainsFunc(r.SilentScopes, func(entry string) bool {
			return matchesScope(entry, scope.name, scope.version)
		})
	}
	return scope.silent
}

// matchesScope reports whether an entry of the settings means a scope.
func matchesScope(entry, name, version string) bool {
	glob, before, limited := strings.Cut(entry, " < ")
	return Glob(glob, name) && (!limited || version != "" && isBefore(version, before))
}

// isBefore reports whether a version is before another, comparing the numbers between
// their dots. What follows the last number, such as "-alpha", does not count.
func isBefore(version, other string) bool {
	for version != "" || other != "" {
		var a, b int
		a, version = nextNumber(version)
		b, other = nextNumber(other)
		if a != b {
			return a < b
		}
	}
	return false
}

// nextNumber returns the number that a version begins with, and what follows the dot
// after it; 0 and "" when there is none.
func nextNumber(version string) (n int, rest string) {
	digits := len(version) - len(strings.TrimLeft(version, "0123456789"))
	n, err := strconv.Atoi(version[:digits])
	if err != nil || digits == len(version) || version[digits] != '.' {
		return n, ""
	}
	return n, version[digits+1:]
}
