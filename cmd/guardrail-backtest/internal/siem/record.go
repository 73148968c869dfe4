// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

// Package siem runs Elastic's rule as it is shipped over the same invocations, to compare what it finds: every ten
// minutes over the last sixty, users with more than five records that name no guardrail, the 100 with the most first.
package siem

import "encoding/json"

// Record is what the rule knows of a record.
type Record struct {
	User    string // as it stands in the record
	Account string
	Named   bool // it sees a guardrail
}

// Read returns what the rule knows of a Bedrock record. ok is false for any other text: it reads no other records.
//
// It takes a guardrail only from the keys of the trace's assessment of the input, in the answer or in a chunk of it.
func Read(text string) (r Record, ok bool) {
	record := object(json.RawMessage(text))
	if record == nil || record["identity"] == nil {
		return r, false
	}
	_ = json.Unmarshal(object(record["identity"])["arn"], &r.User)
	_ = json.Unmarshal(record["accountId"], &r.Account)
	body := object(record["output"])["outputBodyJson"]
	var chunks []json.RawMessage
	if json.Unmarshal(body, &chunks) != nil {
		chunks = []json.RawMessage{body}
	}
	for _, chunk := range chunks {
		answer := object(chunk)
		for _, at := range [][2]string{{"trace", "inputAssessment"}, {"amazon-bedrock-trace", "input"}} {
			assessed := object(object(object(answer[at[0]])["guardrail"])[at[1]])
			r.Named = r.Named || len(assessed) > 0
		}
	}
	return r, true
}

// object returns the members of a JSON object; nil for anything else.
func object(text json.RawMessage) (members map[string]json.RawMessage) {
	if json.Unmarshal(text, &members) != nil {
		return nil
	}
	return members
}
