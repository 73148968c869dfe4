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

// The events that stand for a call, by the semantic conventions since version
// 1.37 and before.
const (
	detailsEvent = "gen_ai.client.inference.operation.details"
	choiceEvent  = "gen_ai.choice"
)

// event is what a record's event name says. A name is looked at once, since each
// comparison of one so long takes a fiftieth of a guarded record's time.
type event uint8

const (
	noEvent event = iota
	callDetails
	answerChoice
	ownAlert
	genAIEvent // another one of the GenAI conventions, such as a message
	otherEvent
)

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

// eventName returns a record's event name, which older SDKs write as an attribute.
func eventName(record plog.LogRecord) string {
	if name := record.EventName(); name != "" {
		return name
	}
	if value, ok := record.Attributes().Get(attrEvent); ok {
		return stringOf(value)
	}
	return ""
}
