// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package samplelogs

// guardrail is the one that each account applies.
var guardrail = map[string]struct{ id, version string }{
	museum: {"m4q8t1x6zc2d", "7"},
	lab:    {"p9s3v5k0nb7h", "2"},
}

// assessment is what a guardrail reports of a text: {id: {...}}.
func (c call) assessment(text string) object {
	g := guardrail[c.account]
	report := object{}
	if c.outcome == blocked {
		report = append(report, field{"topicPolicy", object{{"topics", []object{{
			{"name", "off-limits"}, {"type", "DENY"}, {"action", "BLOCKED"}, {"detected", true},
		}}}}})
	}
	report = append(report,
		field{"invocationMetrics", object{
			{"guardrailProcessingLatency", 150 + draw("guardrail", c.requestID).below(200)},
			{"usage", object{{"topicPolicyUnits", 1}, {"contentPolicyUnits", 1}, {"wordPolicyUnits", 1}}},
			{"guardrailCoverage", object{{"textCharacters", object{{"guarded", len(text)}, {"total", len(text)}}}}},
		}},
		field{"appliedGuardrailDetails", object{
			{"guardrailId", g.id},
			{"guardrailVersion", g.version},
			{"guardrailArn", "arn:aws:bedrock:" + c.region + ":" + c.account + ":guardrail/" + g.id},
			{"guardrailOrigin", []string{"REQUEST"}},
			{"guardrailOwnership", "SELF"},
		}},
	)
	return object{{g.id, report}}
}

// trace has the assessments of prompt and answer under the names of the API. A blocked prompt has no answer to assess.
func (c call) trace(input, output string) object {
	t := object{{input, c.assessment(c.said.prompt)}}
	if c.outcome != blocked {
		t = append(t, field{output, []object{c.assessment(c.said.answer)}})
	}
	return object{{"guardrail", t}}
}

// invokeEvidence are the keys that InvokeModel and its stream write at the top of an answer when a guardrail ran.
func (c call) invokeEvidence() object {
	const action = "amazon-bedrock-guardrailAction"
	switch c.outcome {
	case passed:
		return object{{action, "NONE"}}
	case traced:
		return object{{action, "NONE"}, {"amazon-bedrock-trace", c.trace("input", "outputs")}}
	case blocked:
		return object{{action, "INTERVENED"}, {"amazon-bedrock-trace", c.trace("input", "outputs")}}
	default:
		return nil
	}
}
