// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import (
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// bodies says what is known of the request and the answer that some instrumentations
// keep in a span, as JSON. What they show of guardrails is in the findings.
type bodies struct {
	read    bool // the bodies have been looked for
	answer  bool // the answer is there, read to its end
	cut     bool // the answer is there, and cannot be read to its end
	request bool // the request of a Converse call is there, read to its end
}

// sdkMembers are the members at the top level of a request or an answer, as an SDK
// returns it, that a Bedrock record does not need.
type sdkMembers struct {
	model     string // of the request
	requestID string // of the answer
	metrics   bool   // the answer has metrics, which only Converse returns
	streaming bool   // the instrumentation made the answer, out of the chunks of a stream
}

// bodyScopes are the instrumentations that keep the answer of InvokeModel as the
// service wrote it. Others keep parts of it, without what the service adds.
var bodyScopes = []string{"@arizeai/openinference-instrumentation-bedrock"}

// readBodies reads the bodies in the attributes of a span, once.
//
// Only JSON of the service itself counts. An instrumentation may just as well keep the
// text of the answer, and a model writes any JSON that it is asked for. A body is
// therefore read only where it is marked as JSON, differs from the text of the answer,
// and does not stand beside the attributes of clients that keep texts.
func (inv *Invocation) readBodies(attrs *levels, call call) {
	b, f := &inv.bodies, &inv.found
	if b.read {
		return
	}
	b.read = true
	f.reset()
	f.ofSpan = true
	own := &attrs[0]
	if own.has.has(keyAnswerBody) && own.has&textKeys == 0 {
		if body, ok := own.body(keyAnswerBody, "output.mime_type", attrAnswerText, attrAnswerTexts); ok {
			if f.answerOf(body); f.cut {
				f.sdk = sdkMembers{}
			}
			b.answer, b.cut = !f.cut && body.Type() == pcommon.ValueTypeStr, f.cut // of a map, sdk is not read
		}
		if b.answer && !f.sdk.streaming && call.converse(f) {
			if body, ok := own.body(keyRequestBody, "input.mime_type"); ok {
				b.request = f.readSDKRequest(body)
			}
		}
	}
	if own.has.has(keyProviderMetadata) && !f.answer && !b.cut {
		f.readProviderMetadata(own.values[keyProviderMetadata])
	}
}

// textKeys are attributes of clients that keep the texts of an answer and may copy them
// to where others keep its JSON.
const textKeys keySet = 1<<keyAIOperation | 1<<keyOutputMessages | 1<<keyCompletion

// body returns the JSON under a key: a map, or a text that the attribute of the mime
// type marks as JSON and that is none of the texts under other names.
func (l *level) body(k key, mimeType string, texts ...string) (body pcommon.Value, ok bool) {
	if !l.has.has(k) {
		return body, false
	}
	body = l.values[k]
	if body.Type() != pcommon.ValueTypeStr {
		return body, body.Type() == pcommon.ValueTypeMap
	}
	mime, ok := l.attrs.Get(mimeType)
	if !ok || !strings.HasPrefix(stringOf(mime), "application/json") || !looksLikeJSON(body.Str()) {
		return body, false
	}
	for _, name := range texts {
		if text, ok := l.attrs.Get(name); ok && stringOf(text) == body.Str() {
			return body, false
		}
	}
	return body, true
}

// readSDKRequest reads the request of a Converse call, as the SDK takes it. It reports
// whether it could be read to its end.
func (f *findings) readSDKRequest(body pcommon.Value) bool {
	if body.Type() == pcommon.ValueTypeMap {
		f.requestOf(body)
		return true
	}
	f.inner.start(body.Str())
	if !f.readRequest(&f.inner) || !f.inner.end() {
		f.config, f.sdk.model = requestConfig{}, ""
		return false
	}
	return true
}

// readProviderMetadata reads what the Vercel AI SDK keeps of an answer: an object, or
// its JSON, in which the member of the provider has some of the answer's members.
func (f *findings) readProviderMetadata(metadata pcommon.Value) {
	if metadata.Type() != pcommon.ValueTypeStr {
		for name, value := range members(metadata) {
			if isBedrockMember(name) && value.Type() == pcommon.ValueTypeMap {
				f.itemOf(value.Map())
			}
		}
		return
	}
	s := &f.inner
	s.start(metadata.Str())
	if s.peek() != '{' {
		return
	}
	whole := s.members(func(name string) bool {
		if isBedrockMember(name) && s.peek() == '{' {
			return f.readItem(s)
		}
		return s.skip()
	}) && s.end()
	if !whole {
		f.resetBody()
	}
}

func isBedrockMember(name string) bool { return name == "bedrock" || name == "amazonBedrock" }

// read consumes a member of an answer.
func (m *sdkMembers) read(s *scanner, name string) (ok bool) {
	switch name {
	case "metrics":
		m.metrics = s.peek() == '{'
	case "streaming":
		m.streaming = s.peek() == 't'
	case "$metadata":
		return m.readRequestID(s, "requestId")
	case "ResponseMetadata":
		return m.readRequestID(s, "RequestId")
	}
	return s.skip()
}

// readRequestID consumes what an SDK adds to an answer.
func (m *sdkMembers) readRequestID(s *scanner, wanted string) bool {
	m.requestID = ""
	return s.object(func(name string) bool {
		if name != wanted {
			return s.skip()
		}
		return s.field(&m.requestID)
	})
}

// converse reports whether a call is one of Converse's operations: by its method, or
// else by its answer.
func (c call) converse(f *findings) bool {
	return c.family(f) == converseFamily
}

// family returns the family of the operation of a call, given the findings of its
// answer.
func (c call) family(f *findings) family {
	if c.method == "" && f.sdk.metrics {
		return converseFamily
	}
	if strings.HasPrefix(c.method, "Converse") {
		return converseFamily
	}
	return familyOf(c.method)
}

// spanEvidence adds the guardrails that the bodies name, if the attributes name none,
// and returns the kind of evidence. ran is false when there is no evidence: a guardrail
// that attributes name is that of the request, and did not run where the call failed.
func (inv *Invocation) spanEvidence(call call, failed bool) (evidence Evidence, ran bool) {
	if len(inv.Guardrails) > 0 {
		return Claimed, !failed
	}
	intervened := inv.Intervened
	evidence, ran = inv.collectEvidence(call.family(&inv.found))
	if inv.Intervened = inv.Intervened || intervened; evidence != Uncovered {
		evidence = Claimed // telemetry of the caller's, whatever it copies
	}
	return evidence, ran || intervened
}

// tell reports whether the bodies would show a guardrail if one had run: the service's
// own answer is there and, for Converse, which may not mention it there, the request.
func (inv *Invocation) tell(call call) bool {
	b, f := &inv.bodies, &inv.found
	switch {
	case !b.answer || f.sdk.streaming:
		return false
	case call.converse(f):
		return b.request
	default:
		return slices.Contains(bodyScopes, inv.scope.name)
	}
}

// textless reports whether the answer is an embedding or a ranking of a model whose id
// does not show it: clients cut ids, and application inference profiles hide them.
func (inv *Invocation) textless() bool {
	return (inv.found.vectors || inv.found.ranking) && (!hasBedrockForm(inv.Model) || isApplicationProfile(inv.Model))
}
