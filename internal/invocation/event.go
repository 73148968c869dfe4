// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/plog"
)

// AlertEvent is the event name of this project's own alerts, which are never
// taken for invocations.
const AlertEvent = "gen_ai_guardrail.alert"

// The events that stand for a call: in the semantic conventions from version 1.37
// on, and before it.
const (
	detailsEvent = "gen_ai.client.inference.operation.details"
	choiceEvent  = "gen_ai.choice"
)

// event classifies a record by its event name. The name is looked at once, since
// comparing such a long one takes a fiftieth of a guarded record's time.
type event uint8

const (
	noEvent      event = iota // no event name
	callDetails               // a call and its answer
	answerChoice              // a choice of an answer
	ownAlert                  // an alert of this project
	genAIEvent                // another event of the GenAI conventions, such as a message
	otherEvent                // any other event
)

// eventOf returns the class of an event name.
func eventOf(name string) event {
	switch name {
	case "":
		return noEvent
	case detailsEvent:
		return callDetails
	case choiceEvent:
		return answerChoice
	case AlertEvent:
		return ownAlert
	default:
		if strings.HasPrefix(name, "gen_ai.") {
			return genAIEvent
		}
		return otherEvent
	}
}

// eventName returns a record's event name, which older SDKs write into an attribute;
// "" when it has none.
func eventName(record plog.LogRecord) string {
	if name := record.EventName(); name != "" {
		return name
	}
	if value, ok := record.Attributes().Get(attrEvent); ok {
		return stringOf(value)
	}
	return ""
}
