// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import (
	"strings"
	"time"
)

// Pattern selects invocations by their fields. Each field is a [Glob] for the whole
// value; an empty one matches everything. All of them must match.
type Pattern struct {
	User, Principal, Account, Region, Model, Operation string

	// Until is the event time from which the pattern no longer matches; zero: no end.
	Until time.Time
}

// Match reports whether the pattern matches inv.
func (p *Pattern) Match(inv *Invocation) bool {
	return matches(p.User, inv.User) &&
		p.matchesPrincipal(inv) &&
		matches(p.Account, inv.Account) &&
		matches(p.Region, inv.Region) &&
		matches(p.Model, inv.Model) &&
		matches(p.Operation, inv.Operation) &&
		(p.Until.IsZero() || inv.TimeSource != NoTime && time.Unix(0, inv.Time).Before(p.Until))
}

// matchesPrincipal reports whether the pattern matches the principal. A role also
// matches by its ARN in IAM (arn:aws:iam::ACCOUNT:role/ROLE), which is what people look
// up.
func (p *Pattern) matchesPrincipal(inv *Invocation) bool {
	if matches(p.Principal, inv.Principal) {
		return true
	}
	role, ok := assumedRole(inv.Principal)
	if !ok || strings.Contains(role, "/") {
		return false
	}
	a, _ := splitARN(inv.Principal)
	return matches(p.Principal, "arn:"+a.partition+":iam::"+a.account+":role/"+role)
}

func matches(glob, value string) bool { return glob == "" || Glob(glob, value) }

// MatchesAny reports whether any of the patterns matches inv.
func MatchesAny(patterns []Pattern, inv *Invocation) bool {
	for i := range patterns {
		if patterns[i].Match(inv) {
			return true
		}
	}
	return false
}

// Glob reports whether the whole value matches the glob, in which * stands for any run
// of characters except for '/'. Its time is bounded by the product of both lengths.
func Glob(glob, value string) bool {
	// Where to resume when a match fails: after the last star, with one more byte of
	// the value taken by it. An earlier star need never be tried again.
	star, taken := -1, 0
	g, v := 0, 0
	for v < len(value) {
		switch {
		case g < len(glob) && glob[g] == '*':
			star, taken = g, v
			g++
			if literal, _, _ := strings.Cut(glob[g:], "*"); !strings.Contains(value[v:], literal) {
				return false // the literal must follow; most values that do not match end here
			}
		case g < len(glob) && glob[g] == value[v]:
			g++
			v++
		case star >= 0 && value[taken] != '/':
			taken++
			g, v = star+1, taken
		default:
			return false
		}
	}
	return strings.Trim(glob[g:], "*") == ""
}
