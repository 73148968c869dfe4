// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package samplelogs

import "time"

// Invocation is what is true of one call, for tests to compare with.
type Invocation struct {
	Time                        time.Time
	RequestID                   string
	User, Account, Region       string
	Operation, Model            string
	Verdict, Evidence           string
	Guardrail, GuardrailVersion string // empty where the record does not say
	Delivered                   int    // how many records of it there are
}

// Invocations returns every invocation of the sample logs, caller by caller.
func Invocations() []Invocation {
	var all []Invocation
	for _, c := range everyCall() {
		verdict, evidence := c.verdict()
		i := Invocation{
			Time: c.at, RequestID: c.requestID, User: c.user, Account: c.account, Region: c.region,
			Operation: c.operation, Model: c.model, Verdict: verdict, Evidence: evidence, Delivered: 1,
		}
		if evidence == "applied" {
			g := guardrail[c.account]
			i.Guardrail, i.GuardrailVersion = g.id, g.version
		}
		if c.twice {
			i.Delivered = 2
		}
		all = append(all, i)
	}
	return all
}

func (c call) verdict() (verdict, evidence string) {
	switch {
	case c.model == titan:
		return "not_applicable", "model"
	case c.outcome == throttled:
		return "failed", "error"
	case c.outcome == withheld, c.outcome == offloaded:
		return "unknown", "no_body"
	case c.outcome == passed:
		return "guarded", "unnamed"
	case c.outcome == traced, c.outcome == blocked:
		return "guarded", "applied"
	case c.operation == converse, c.operation == converseStream:
		return "unguarded", "presumed"
	default:
		return "unguarded", "absent"
	}
}
