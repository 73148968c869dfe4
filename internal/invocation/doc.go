// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

// Package invocation turns a log record or a span into an [Invocation]: who called
// which model and when, and whether a guardrail was applied, with the evidence for it.
//
// [Reader.Read] looks for two kinds of records:
//
//   - Bedrock records, the model invocation logs of the service. One is a log
//     body (JSON text, bytes or a map), or is split into the attributes of a log
//     record. It may also stand in wrappers: an array, a member such as "message",
//     a JSON string, the header of a syslog daemon or of a container runtime. At
//     most four wrappers are taken off. Several records in one cannot be judged.
//   - Attribute records, which the caller's own telemetry writes: the events of
//     the GenAI semantic conventions and the records of Elastic's Bedrock
//     integration. They are judged by their attributes; the event of a choice is
//     also judged by its body.
//
// A record passes these steps, in this order:
//
//	prefilter.go    may it be an invocation at all
//	annotations.go  the verdict of a trusted instance, where there is one
//	wrapper.go      the Bedrock record in the body or the attributes
//	findings.go     what that record shows (read by bedrock_json.go, bedrock_map.go)
//	judge.go        the verdict on it
//	attributes.go   else the verdict on an attribute record
//	describe.go     user, model, time and the other fields
//
// [Reader.ReadSpan] reads spans, which instrumentations of applications write. A span is
// judged as an attribute record is, with what spans have besides:
//
//	span_call.go   is it a call of a model, or a step that contains such calls
//	claims.go      the guardrails and finish reasons that its attributes name
//	span_event.go  the finish reasons that its events name
//	span_body.go   the JSON of request and answer that some instrumentations keep
//	span.go        the verdict, and the fields
//	silent.go      the instrumentations whose silence shows nothing
//
// [attributes] lists every attribute that is read in either, with its meaning.
//
// Evidence counts only where the service writes it: at the top level of the
// answer body, or of a chunk of it, and in the guardrailConfig of a Converse
// request. Whatever a caller can write (prompts, answers, tool arguments,
// request metadata, anything further down) is never looked at.
//
// The package has its own scanner, which reads a body in one pass and does not
// decode it into maps. The available libraries do not fit. encoding/json
// matches keys without regard to case, allocates, and refuses nesting over
// 10,000 levels, a byte order mark and NaN, any of which a caller could use to
// hide a record. gjson and jsonparser do not notice a record that is cut off,
// find the first of two equal keys, and do not fully unescape keys before they
// compare them. The fast searchers generate code at run time or read through
// unsafe pointers, which does not suit hostile input. The scanner keeps its own
// stack of brackets, one bit a level, so that nesting costs bits of memory and
// no recursion.
package invocation

//go:generate go run ../../cmd/attributetable ../../docs/spans.md
