// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

// Package invocation turns a log record into an [Invocation]: who called which
// model when, and whether a guardrail was applied, with the evidence for it.
//
// Evidence counts only where the service writes it: at the top level of the
// answer body, or of a chunk of it, and in the guardrailConfig of a Converse
// request. Whatever a caller can write (prompts, answers, tool arguments,
// request metadata, anything deeper down) is never looked at.
//
// Bodies are read by a scanner of our own, in one pass and without decoding
// them into maps. The libraries at hand would not do: encoding/json matches keys
// without regard to case, refuses nesting over 10,000 levels, a byte order mark
// and NaN, any of which a caller could use to hide a record, and allocates;
// gjson and jsonparser do not notice a record that is cut off, find the first
// of two equal keys and compare keys without unescaping them all the way; the
// fast searchers generate code at run time or read through unsafe pointers,
// which is not for hostile input. The scanner keeps its own stack of brackets,
// one bit a level, so nesting costs memory in bits and no recursion.
package invocation
