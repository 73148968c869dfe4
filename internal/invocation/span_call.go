// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// call is what the attributes of a span show about the call that it stands for.
type call struct {
	model     bool   // it calls a model that writes text
	embedding bool   // it calls a model that makes embeddings
	bedrock   bool   // it is an operation of Bedrock Runtime
	method    string // that operation; "" where it is not known
}

// callOf returns what a span stands for. There are four signs of a call of a model,
// and a span may have several of them. Where they disagree, it is none: a step that
// contains calls repeats their attributes, and must not be counted beside them.
func callOf(attrs *level) (c call) {
	switch attrs.operation {
	case "":
		switch attrs.text(keyRequestType) {
		case "chat", "completion", "acompletion":
			c.model = true
		}
	case "chat", "generate_content", "text_completion":
		c.model = true
	case embeddings:
		c.embedding = true
	default:
		return call{}
	}
	if kind := attrs.text(keySpanKind); kind != "" {
		if !foldedEqual(kind, "LLM", "") {
			return call{}
		}
		c.model = true
	}
	if operation := attrs.text(keyAIOperation); operation != "" {
		if !strings.HasSuffix(operation, ".doGenerate") && !strings.HasSuffix(operation, ".doStream") {
			return call{}
		}
		c.model = true
	}
	if method := attrs.text(keyMethod); method != "" {
		service := attrs.text(keyService)
		if cut := strings.LastIndexByte(method, '/'); service == "" && cut >= 0 {
			service, method = method[:cut], method[cut+1:]
		}
		invokes := strings.HasPrefix(method, "Converse") || strings.HasPrefix(method, "InvokeModel")
		switch {
		case service == "" && invokes && isAWS(attrs.attrs), isBedrockRuntime(service) && invokes:
			c.model, c.bedrock, c.method = true, true, method
		case isBedrockRuntime(service):
			return call{} // such as ApplyGuardrail
		}
	}
	c.model = c.model && !c.embedding
	return c
}

// text returns the attribute under a key of the table, if it is a string; else "".
func (l *level) text(k key) string {
	if !l.has.has(k) {
		return ""
	}
	return stringOf(l.values[k])
}

// isBedrockRuntime reports whether a name means the service whose operations call
// models. SDKs write BedrockRuntime or Bedrock Runtime, some with a vendor before it.
func isBedrockRuntime(service string) bool {
	for _, vendor := range [...]string{"Amazon", "AWS"} {
		service = strings.TrimPrefix(service, vendor)
	}
	return foldedEqual(service, "BedrockRuntime", " .-_")
}

// isAWS reports whether the attributes are those of an operation of AWS.
func isAWS(attrs pcommon.Map) bool {
	for _, name := range [...]string{"rpc.system", "rpc.system.name"} {
		if value, ok := attrs.Get(name); ok && stringOf(value) == "aws-api" {
			return true
		}
	}
	return false
}

// withoutService returns an operation without the service that some clients write
// before it, with a slash.
func withoutService(operation string) string {
	return operation[strings.LastIndexByte(operation, '/')+1:]
}

// mayBeCall reports whether the attributes may be those of a call of a model. It does
// for spans what [mayBeInvocation] does for log records.
func mayBeCall(attrs pcommon.Map) (may bool) {
	attrs.Range(func(name string, _ pcommon.Value) bool {
		may = callKeyLengths>>(len(name)%64)&1 != 0 && callKeyBits>>nameBit(name)&1 != 0 && isCallKey(name)
		return !may
	})
	return may
}

// The attributes without one of which a span is no call of a model.
var (
	callKeys       = [...]string{attrOperation, attrMethod, attributes[keySpanKind].name, attributes[keyAIOperation].name, attributes[keyRequestType].name}
	callKeyBits    = nameBits(callKeys[:])
	callKeyLengths = lengthBits(callKeys[:])
)

func isCallKey(name string) bool {
	for _, key := range callKeys {
		if name == key {
			return true
		}
	}
	return false
}
