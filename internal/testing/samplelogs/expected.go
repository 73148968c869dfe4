// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package samplelogs

import "time"

// Alert is what the built-in rule makes of one user in one account.
type Alert struct {
	User, Account string
	// Alerts is how many are opened when the records come in the order of their times.
	Alerts int
	// Count is how many unguarded invocations the window holds that first crosses the threshold.
	Count int
	// First and Crossed are the times of the first and the last of them.
	First, Crossed time.Time
	// Total is how many unguarded invocations there are in the end, and Last the time of the last.
	Total int
	Last  time.Time
}

// Around is the alert of a rule that counts, by principal and account, every invocation within ten minutes after an intervention. The
// sample logs raise no other alert of such a rule.
type Around struct {
	Principal, Account string
	// Intervened is when the guardrail intervened, First and Last the times of the first and the last invocation that followed.
	Intervened, First, Last time.Time
}

// ExpectedAround returns what the sample logs raise with such a rule.
func ExpectedAround() Around {
	return Around{
		Principal: "arn:aws:sts::" + museum + ":assumed-role/ExhibitWriters", Account: museum,
		Intervened: at("09:53:12")[0], First: at("09:54:03")[0], Last: at("09:55:21")[0],
	}
}

// Expected returns the alerts that the built-in rule raises on the sample logs, in the order in which they fall due. Nobody else alerts.
func Expected() []Alert {
	sustained := steadily(200, "09:40:05")
	return []Alert{
		{
			User: prototyper, Account: lab,
			Alerts: 1, Count: 6, First: at("09:22:05")[0], Crossed: at("09:22:32")[0], Total: 8, Last: at("09:22:44")[0],
		},
		{
			User: summaries, Account: lab,
			Alerts: 1, Count: 6, First: sustained[0], Crossed: sustained[5], Total: 200, Last: sustained[199],
		},
		{
			User: labeller, Account: museum,
			Alerts: 1, Count: 6, First: at("09:44:34")[0], Crossed: at("09:45:23")[0], Total: 6, Last: at("09:45:23")[0],
		},
	}
}
