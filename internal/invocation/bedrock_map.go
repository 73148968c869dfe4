// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import (
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// readMap reads a Bedrock record that a pipeline has already parsed, into a log body
// or into the attributes of a record. It does with values what readRecord does with
// text. Parts of the record may still be JSON in a string, or stand under dotted
// names. It returns false for a map that is not plainly a Bedrock record.
func (inv *Invocation) readMap(record pcommon.Map) bool {
	inv.reset()
	f := &inv.found
	f.reset()
	for name, value := range record.All() {
		switch name {
		case "schemaType":
			f.schema = schemaOf(stringOf(value))
		case "timestamp":
			inv.timestamp = stringOf(value)
		case "accountId":
			inv.Account = accountOf(value)
		case "region":
			inv.Region = stringOf(value)
		case "requestId":
			inv.RequestID = stringOf(value)
		case "operation":
			inv.Operation = stringOf(value)
		case "modelId":
			inv.Model = stringOf(value)
		case "errorCode":
			f.errored = stringOf(value) != ""
		case "identity":
			if f.parsePart(value) {
				if !inv.readIdentity(&f.scan) || !f.scan.end() {
					inv.User = ""
				}
				continue
			}
			inv.User = ""
			for name, value := range members(value) {
				if name == "arn" {
					inv.User = stringOf(value)
				}
			}
		case "identity.arn":
			inv.User = stringOf(value)
		case "input":
			if f.parsePart(value) {
				if !f.readInput(&f.scan) || !f.scan.end() {
					f.config = requestConfig{}
				}
				continue
			}
			f.config = requestConfig{}
			for name, value := range members(value) {
				if name == "inputBodyJson" {
					f.requestOf(value)
				}
			}
		case "input.inputBodyJson":
			f.requestOf(value)
		case "output":
			if f.parsePart(value) {
				if !f.readOutput(&f.scan) || !f.scan.end() {
					f.resetBody()
					f.cut = true
				}
				continue
			}
			f.resetBody()
			f.offloaded = false
			for name, value := range members(value) {
				switch name {
				case "outputBodyJson":
					f.answerOf(value)
				case "outputBodyS3Path":
					f.offloaded = stringOf(value) != ""
				}
			}
		case "output.outputBodyJson":
			f.answerOf(value)
		case "output.outputBodyS3Path":
			f.offloaded = stringOf(value) != ""
		default:
			f.flattened = f.flattened || strings.Contains(name, "outputBodyJson")
		}
	}
	return inv.plainlyBedrock()
}

// parsePart reports whether a part of the record is a JSON object in a string, and if
// so points f.scan to it.
func (f *findings) parsePart(part pcommon.Value) bool {
	f.scan.start(stringOf(part))
	return f.scan.peek() == '{'
}

// requestOf does for a value what readRequest does for text.
func (f *findings) requestOf(body pcommon.Value) {
	f.config = requestConfig{}
	if body.Type() == pcommon.ValueTypeStr {
		if !looksLikeJSON(body.Str()) {
			return
		}
		f.inner.start(body.Str())
		if !f.readRequest(&f.inner) || !f.inner.end() {
			f.config = requestConfig{}
		}
		return
	}
	for name, value := range members(body) {
		if name != "guardrailConfig" {
			continue
		}
		f.config = requestConfig{}
		for name, value := range members(value) {
			switch name {
			case "guardrailIdentifier":
				f.config.id = stringOf(value)
			case "guardrailVersion":
				f.config.version = stringOf(value)
			}
		}
	}
}

// answerOf does for a value what readAnswer does for text.
func (f *findings) answerOf(body pcommon.Value) {
	f.resetBody()
	switch body.Type() {
	case pcommon.ValueTypeStr:
		f.readAnswerText(body.Str())
	case pcommon.ValueTypeMap:
		f.itemOf(body.Map())
	case pcommon.ValueTypeSlice:
		f.chunked = true
		for _, chunk := range body.Slice().All() {
			f.answer = true
			if chunk.Type() == pcommon.ValueTypeMap {
				f.itemOf(chunk.Map())
			}
		}
	case pcommon.ValueTypeEmpty:
	default:
		f.answer = true
	}
}

// itemOf does for a map what readItem does for text.
func (f *findings) itemOf(answer pcommon.Map) {
	mark := len(f.assessments)
	var it item
	for name, value := range answer.All() {
		f.answer = true
		switch name {
		case "amazon-bedrock-guardrailAction":
			it.action = stringOf(value)
		case "amazon-bedrock-trace":
			f.drop(invokePlaces, mark)
			it.invokeRan = f.traceOf(value, mark, invokeInput, invokeOutput, "input", "outputs")
		case "trace":
			f.drop(conversePlaces, mark)
			it.converseRan = f.traceOf(value, mark, converseInput, converseOutput, "inputAssessment", "outputAssessments")
		case "stop_reason":
			it.stopReason = stringOf(value)
		case "stopReason":
			it.converse = stringOf(value)
		case "embedding", "embeddings", "embeddingsByType":
			it.vectors.set(name, value.Type() == pcommon.ValueTypeSlice || value.Type() == pcommon.ValueTypeMap)
		case "data":
			it.vectors.data = firstHas(value, "embedding")
		case "results":
			it.ranking = firstHas(value, "relevance_score", "relevanceScore")
		}
	}
	f.addItem(it)
}

// firstHas does for a value what readFirst does for text.
func firstHas(list pcommon.Value, names ...string) bool {
	if list.Type() != pcommon.ValueTypeSlice || list.Slice().Len() == 0 {
		return false
	}
	for name := range members(list.Slice().At(0)) {
		if slices.Contains(names, name) {
			return true
		}
	}
	return false
}

// traceOf does for a value what readTrace does for text.
func (f *findings) traceOf(trace pcommon.Value, mark int, input, output place, inputKey, outputKey string) (ran bool) {
	var modelOutput, actionReason bool
	for name, value := range members(trace) {
		if name != "guardrail" {
			continue
		}
		f.drop(input|output, mark)
		modelOutput, actionReason = false, false
		for name, value := range members(value) {
			switch name {
			case inputKey:
				f.drop(input, mark)
				f.assessmentsOf(value, input)
			case outputKey:
				f.drop(output, mark)
				f.assessmentsOf(value, output)
			case "modelOutput":
				modelOutput = value.Type() == pcommon.ValueTypeSlice && value.Slice().Len() > 0
			case "actionReason":
				actionReason = stringOf(value) != ""
			}
		}
	}
	return modelOutput || actionReason
}

// assessmentsOf does for a value what readAssessments does for text.
func (f *findings) assessmentsOf(value pcommon.Value, at place) {
	if value.Type() != pcommon.ValueTypeSlice {
		f.assessmentMapOf(value, at)
		return
	}
	for _, element := range value.Slice().All() {
		f.assessmentMapOf(element, at)
	}
}

// assessmentMapOf does for a value what readAssessmentMap does for text.
func (f *findings) assessmentMapOf(value pcommon.Value, at place) {
	mark := len(f.assessments)
	for key, value := range members(value) {
		a := assessment{Guardrail: guardrailOf(key), coverage: unknownCoverage, key: key, place: at}
		f.removeKey(key, mark)
		switch value.Type() {
		case pcommon.ValueTypeMap:
			a.readValue(value)
			f.assess(a)
		case pcommon.ValueTypeSlice:
			for _, element := range value.Slice().All() {
				one := a
				one.readValue(element)
				f.assess(one)
			}
			if value.Slice().Len() == 0 {
				f.assess(a)
			}
		}
	}
}

// readValue does for a value what read does for text.
func (a *assessment) readValue(value pcommon.Value) {
	var version string
	seen := unknownCoverage
	for name, value := range members(value) {
		switch name {
		case "appliedGuardrailDetails":
			version = ""
			for name, value := range members(value) {
				if name == "guardrailVersion" {
					version = stringOf(value)
				}
			}
		case "invocationMetrics":
			seen = coverageOf(value)
		}
	}
	if version != "" {
		a.Version = version
	}
	a.coverage = seen
}

// coverageOf returns the coverage in the metrics of an assessment.
func coverageOf(metrics pcommon.Value) (seen coverage) {
	seen = unknownCoverage
	for name, value := range members(metrics) {
		if name != "guardrailCoverage" {
			continue
		}
		seen = unknownCoverage
		for name, value := range members(value) {
			if name != "textCharacters" {
				continue
			}
			seen = unknownCoverage
			for name, value := range members(value) {
				switch name {
				case "guarded":
					seen.guarded = countOf(value)
				case "total":
					seen.total = countOf(value)
				}
			}
		}
	}
	return seen
}
