// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package samplelogs

// converseInput is a request body of Converse and ConverseStream. It never names the guardrail: the log leaves that out.
func (c call) converseInput() object {
	return object{
		{"messages", []object{{{"role", "user"}, {"content", []object{{{"text", c.said.prompt}}}}}}},
		{"inferenceConfig", object{{"maxTokens", 512}, {"temperature", 0.2}}},
	}
}

// converseOutput is an answer body of Converse, and of ConverseStream as the service assembles it.
func (c call) converseOutput() object {
	reason := "end_turn"
	if c.outcome == blocked {
		reason = "guardrail_intervened"
	}
	body := object{
		{"output", object{{"message", object{{"role", "assistant"}, {"content", []object{{{"text", c.said.answer}}}}}}}},
		{"stopReason", reason},
		{"metrics", object{{"latencyMs", c.latency()}}},
		{"usage", object{
			{"inputTokens", c.inputTokens()},
			{"outputTokens", c.outputTokens()},
			{"totalTokens", c.inputTokens() + c.outputTokens()},
		}},
	}
	if c.outcome == traced || c.outcome == blocked || c.outcome == offloaded {
		body = append(body, field{"trace", c.trace("inputAssessment", "outputAssessments")})
	}
	return body
}
