// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// exceptionEvent is the event of an error, which says nothing about the answer.
const exceptionEvent = "exception"

// attrEventContent is the attribute in which some clients write the body of an event
// as JSON.
const attrEventContent = "gen_ai.event.content"

// readEvents returns what the events of a span show about the answer: its choices, the
// details of the call, and other events with a finish reason. Messages, which are the
// caller's texts, are not read.
func readEvents(events ptrace.SpanEventSlice, s *scanner) (c choice) {
	for i := range events.Len() {
		event := events.At(i)
		name := event.Name()
		if name == exceptionEvent {
			continue
		}
		kind := eventOf(name)
		if kind == genAIEvent {
			continue
		}
		for name, value := range event.Attributes().All() {
			c.readEventAttribute(kind, name, value, s)
		}
	}
	return c
}

// readEventAttribute adds what an attribute of an event shows.
func (c *choice) readEventAttribute(kind event, name string, value pcommon.Value, s *scanner) {
	switch name {
	case finishReason, "gen_ai.response.finish_reasons":
		c.intervened = c.intervened || containsIntervention(value, s)
		c.failed = c.failed || equalsOrContains(value, "error")
		c.answered = c.answered || !isEmpty(value) && !equalsOrContains(value, "error")
	case "gen_ai.output.messages":
		c.intervened = c.intervened || messageIntervened(value, s)
		c.answered = c.answered || holdsAnswer(value)
	case "message":
		c.answered = c.answered || kind == answerChoice && holdsAnswer(value)
	case attrEventContent:
		if kind != answerChoice {
			return
		}
		var body choice
		body.read(value, s)
		c.intervened = c.intervened || body.intervened
		c.failed = c.failed || body.failed
		c.answered = c.answered || body.answered
	}
}
