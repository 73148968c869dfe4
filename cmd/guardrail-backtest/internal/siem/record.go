// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

// Package siem runs Elastic's rule as it is shipped over the same invocations, to compare what it finds: every ten
// minutes over the last sixty, users with more than five records that name no guardrail, the 100 with the most first.
package siem

import "strings"

// Record is what the rule knows of a record.
type Record struct {
	User    string // as it stands in the record
	Account string
	Named   bool // it sees a guardrail
}

// maxDepth is how many wrappers a record is looked for in, one in the other.
const maxDepth = 4

// Read returns what the rule knows of a Bedrock record, in whatever a log record wraps it in: Elastic's integration
// takes records from Bedrock's bucket or log group, where nothing is around them. ok is false for a text that holds none.
//
// It takes a guardrail only from the keys of the trace's assessment of the input, in the answer or in a chunk of it.
func Read(text string) (r Record, ok bool) { return read(text, 0) }

func read(text string, depth int) (r Record, ok bool) {
	start := strings.IndexByte(text, '{') // after a header
	if start < 0 || depth > maxDepth {
		return r, false
	}
	var identity, account, output string
	var inner []string
	whole := members(text[start:], func(name, value string) {
		switch name {
		case "identity":
			identity = value
		case "accountId":
			account = value
		case "output":
			output = value
		default:
			if value[0] == '{' || value[0] == '"' {
				inner = append(inner, value)
			}
		}
	})
	switch {
	case !whole:
		return r, false
	case identity != "":
		return Record{User: unquote(member(identity, "arn")), Account: unquote(account), Named: named(output)}, true
	}
	for _, value := range inner {
		if value[0] == '"' {
			value = unquote(value)
		}
		if r, ok = read(value, depth+1); ok {
			return r, true
		}
	}
	return r, false
}

// named reports whether the rule sees a guardrail in the output of a record.
func named(output string) (seen bool) {
	if !strings.Contains(output, `trace"`) && !strings.Contains(output, `\u`) { // nor with an escape in it
		return false
	}
	chunk := func(answer string) {
		for _, at := range [][2]string{{"trace", "inputAssessment"}, {"amazon-bedrock-trace", "input"}} {
			members(member(member(member(answer, at[0]), "guardrail"), at[1]), func(string, string) { seen = true })
		}
	}
	body := member(output, "outputBodyJson")
	chunk(body)
	elements(body, chunk)
	return seen
}
