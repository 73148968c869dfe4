// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import (
	"go.opentelemetry.io/collector/pdata/plog"
)

// Attributes that are read, besides those that the settings name.
const (
	attrAccount      = "cloud.account.id"
	attrRegion       = "cloud.region"
	attrModel        = "gen_ai.request.model"
	attrModelECS     = "gen_ai.request.model.id"
	attrRequestID    = "aws.request_id"
	attrRequestIDDot = "aws.request.id"
	attrResponseID   = "gen_ai.response.id"
	attrRequestIDECS = "gen_ai.request.id"
	attrMethod       = "rpc.method"
	attrActionECS    = "event.action"
	attrOperation    = "gen_ai.operation.name"
	attrEvent        = "event.name"
	attrMetadata     = "metadata"
	attrAnswerText   = "llm.output_messages.0.message.content"
	attrAnswerTexts  = "llm.output_messages.0.message.contents.0.message_content.text"
)

// embeddings is the operation that produces no text.
const embeddings = "embeddings"

// readAttributes reads a record whose attributes describe a call: an event of the
// semantic conventions, or a record without an event name in their form or in that
// of Elastic's Bedrock integration (ECS). It returns false for any other record.
func (r *Reader) readAttributes(event event, record plog.LogRecord, inv *Invocation) bool {
	var choice choice
	switch event {
	case callDetails:
	case answerChoice:
		if choice.read(record.Body(), &inv.found.inner); choice.later {
			return false
		}
	case noEvent:
		has := r.levelsOf(record, inv)[0].has
		if !has.has(keyModelECS) && (!has.has(keyOperation) || !has.has(keyModel)) {
			return false
		}
	default:
		return false
	}
	attrs := r.decisiveOf(record, inv)
	operation := attrs.operation()
	switch operation {
	case "", "chat", "generate_content", "text_completion", embeddings:
	default:
		return false // a step of an agent or a tool, which does not call a model itself
	}
	if event == callDetails && attrs[0].responseID == "" && !concluded(r.levelsOf(record, inv)) {
		return false // the request alone
	}
	inv.addClaimedGuardrails(attrs, &r.logs.guardrail)
	if event == callDetails && len(inv.Guardrails) > 0 && attrs.has()&(interventionKeys|1<<keyModelECS) == 0 {
		inv.Kind = r.approve(inv, Claimed) // nearly always
		return true
	}
	r.judgeAttributes(record, operation, choice, inv)
	return true
}

// judgeAttributes sets the verdict on an attribute record; the first rule that
// applies decides.
func (r *Reader) judgeAttributes(record plog.LogRecord, operation string, choice choice, inv *Invocation) {
	attrs := r.decisiveOf(record, inv)
	ecs := attrs[0].has.has(keyModelECS)
	if ecs {
		attrs = r.levelsOf(record, inv)
	}
	inv.Intervened = choice.intervened || inv.intervenedIn(attrs, &finishKeys) || ecs && violated(attrs)
	if len(inv.Guardrails) > 0 || inv.Intervened {
		inv.Kind = r.approve(inv, Claimed)
		return
	}
	attrs = r.levelsOf(record, inv)
	r.Describe(record, inv)
	switch {
	case operation == embeddings, r.unguardable(inv.Model):
		inv.Kind = Kind{NotApplicable, Model}
	case !r.judgesProvider(attrs, &r.logs.provider, inv.Model):
		inv.Kind = Kind{NotApplicable, Provider}
	case (choice.failed || failed(attrs, &finishKeys) || ecs && attrs.first(&outcomeKeys) == "failure") && !choice.answered && !answered(attrs):
		inv.Kind = Kind{Failed, Error}
	case MatchesAny(r.AssumeGuarded, inv):
		inv.Kind = Kind{Guarded, Enforced}
	case r.silent(&inv.scope):
		inv.Kind = Kind{Unknown, Untold}
	default:
		inv.Kind = Kind{Unguarded, Presumed}
	}
}
