// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package samplelogs

import (
	"slices"
	"strings"
	"time"
)

// call is one invocation of the scenario.
type call struct {
	actor
	operation, model string
	outcome          outcome
	at               time.Time
	twice            bool
	requestID        string
	said             phrase
}

// everyCall lists the scenario's invocations, actor by actor.
func everyCall() []call {
	var all []call
	for _, a := range scenario {
		n := 0
		for _, cs := range a.calls {
			for i, t := range cs.at {
				id := draw("request", a.user, a.account, n)
				c := call{
					actor: a, operation: cs.operation, model: cs.model, outcome: cs.outcome,
					at: t, requestID: id.uuid(), said: phrases[id.below(len(phrases))],
				}
				if c.outcome == blocked {
					c.said = refused[id.below(len(refused))]
				}
				if c.outcome == offloaded { // as the service does with a body over 100 KB
					c.said.answer = strings.Repeat(c.said.answer+"\n", 1+110_000/len(c.said.answer))
				}
				for _, j := range cs.twice {
					c.twice = c.twice || i == j
				}
				all = append(all, c)
				n++
			}
		}
	}
	return all
}

// record is the log record of a call.
func (c call) record() object {
	var (
		schema   = object{{"schemaType", "ModelInvocationLog"}, {"schemaVersion", "1.0"}}
		when     = object{{"timestamp", c.at.Format(time.RFC3339)}, {"accountId", c.account}}
		identity = object{{"identity", object{{"arn", c.user}}}}
		what     = object{
			{"region", c.region},
			{"requestId", c.requestID},
			{"operation", c.operation},
			{"modelId", c.model},
			{"input", c.input()},
		}
	)
	if c.outcome == throttled {
		what = append(what, field{"errorCode", "ThrottlingException"})
	} else {
		what = append(what, field{"output", c.output()})
	}
	if c.account == museum { // the older order
		return slices.Concat(schema, when, identity, what)
	}
	if c.model == sonnet { // an inference profile may answer from another region
		identity = append(identity, field{"inferenceRegion", "eu-west-3"})
	}
	return slices.Concat(when, what, identity, schema)
}

func (c call) input() object {
	in := object{{"inputContentType", "application/json"}}
	if c.outcome != withheld {
		in = append(in, field{"inputBodyJson", c.inputBody()})
	}
	if c.outcome == throttled {
		return in
	}
	return append(in, field{"inputTokenCount", c.inputTokens()})
}

func (c call) output() object {
	out := object{{"outputContentType", "application/json"}}
	switch c.outcome {
	case withheld:
	case offloaded:
		out = append(out, field{"outputBodyS3Path", "s3://amzn-s3-demo-bucket/" + c.offloadPath()})
	default:
		out = append(out, field{"outputBodyJson", c.outputBody()})
	}
	return append(out, field{"outputTokenCount", c.outputTokens()})
}

func (c call) inputBody() any {
	switch c.operation {
	case converse, converseStream:
		return c.converseInput()
	default:
		return c.invokeInput()
	}
}

func (c call) outputBody() any {
	switch c.operation {
	case converse, converseStream:
		return c.converseOutput()
	case invokeStream:
		return c.streamOutput()
	default:
		return c.invokeOutput()
	}
}
