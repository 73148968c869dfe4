// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package samplelogs

import "strings"

// invokeInput is a request body of InvokeModel: each family of models has its own.
func (c call) invokeInput() object {
	switch c.model {
	case llama:
		return object{{"prompt", c.said.prompt}, {"max_gen_len", 256}, {"temperature", 0.5}}
	case titan:
		return object{{"inputText", c.said.prompt}, {"dimensions", 256}, {"normalize", true}}
	default:
		return object{
			{"anthropic_version", "bedrock-2023-05-31"},
			{"max_tokens", 300},
			{"messages", []object{{{"role", "user"}, {"content", []object{{{"type", "text"}, {"text", c.said.prompt}}}}}}},
		}
	}
}

// invokeOutput is an answer body of InvokeModel.
func (c call) invokeOutput() object {
	switch c.model {
	case llama:
		return append(object{
			{"generation", c.said.answer},
			{"prompt_token_count", c.inputTokens()},
			{"generation_token_count", c.outputTokens()},
			{"stop_reason", "stop"},
		}, c.invokeEvidence()...)
	case titan:
		return object{{"embedding", c.vector(256)}, {"inputTextTokenCount", c.inputTokens()}}
	default:
		return append(object{
			{"id", c.messageID()},
			{"type", "message"},
			{"role", "assistant"},
			{"model", "claude"},
			{"content", []object{{{"type", "text"}, {"text", c.said.answer}}}},
			// A block keeps end_turn too: the reason says nothing about guardrails.
			{"stop_reason", "end_turn"},
			{"usage", object{{"input_tokens", c.inputTokens()}, {"output_tokens", c.outputTokens()}}},
		}, c.invokeEvidence()...)
	}
}

// streamOutput is an answer body of InvokeModelWithResponseStream: the list of its chunks, the trace in the last one.
func (c call) streamOutput() []object {
	chunks := []object{
		{{"type", "message_start"}, {"message", object{{"id", c.messageID()}, {"type", "message"}, {"role", "assistant"}, {"content", []object{}}}}},
		{{"type", "content_block_start"}, {"index", 0}, {"content_block", object{{"type", "text"}, {"text", ""}}}},
	}
	evidence := c.invokeEvidence()
	for _, text := range halves(c.said.answer) {
		chunk := object{{"type", "content_block_delta"}, {"index", 0}, {"delta", object{{"type", "text_delta"}, {"text", text}}}}
		if len(evidence) > 0 {
			chunk = append(chunk, evidence[0])
		}
		chunks = append(chunks, chunk)
	}
	stop := append(object{{"type", "message_stop"}}, evidence...)
	return append(chunks,
		object{{"type", "content_block_stop"}, {"index", 0}},
		object{{"type", "message_delta"}, {"delta", object{{"stop_reason", "end_turn"}}}, {"usage", object{{"output_tokens", c.outputTokens()}}}},
		append(stop, field{"amazon-bedrock-invocationMetrics", object{
			{"inputTokenCount", c.inputTokens()},
			{"outputTokenCount", c.outputTokens()},
			{"invocationLatency", c.latency()},
			{"firstByteLatency", c.latency() / 3},
		}}),
	)
}

// halves cuts a text near its middle, at a space.
func halves(text string) []string {
	cut := len(text)/2 + strings.IndexByte(text[len(text)/2:]+" ", ' ')
	return []string{text[:cut], text[cut:]}
}

// vector is an embedding of few distinct values, which compress well.
func (c call) vector(dimensions int) []float64 {
	values := make([]float64, dimensions)
	for i := range values {
		values[i] = float64(draw("vector", c.requestID, i/8).below(8)-4+i%8) / 64
	}
	return values
}

func (c call) messageID() string { return "msg_bdrk_" + draw("message", c.requestID).hex(24) }

func (c call) inputTokens() int {
	if c.outcome == blocked {
		return 0 // the model never ran
	}
	return 8 + len(c.said.prompt)/4
}

func (c call) outputTokens() int {
	if c.outcome == blocked {
		return 0
	}
	return 1 + len(c.said.answer)/4
}

// latency is in milliseconds.
func (c call) latency() int { return 400 + draw("latency", c.requestID).below(1500) }
