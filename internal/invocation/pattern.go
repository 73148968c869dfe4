// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import (
	"strings"
	"time"
)

// Pattern tells some invocations from the others. Fields are globs matched on
// the whole value, in which * stands for any run of characters but '/'; an empty
// one matches everything, and all of them must match.
type Pattern struct {
	User, Principal, Account, Region, Model, Operation string

	// Until is the event time from which the pattern matches nothing more; zero: never.
	Until time.Time
}

// Match reports whether the pattern holds for inv.
func (p *Pattern) Match(inv *Invocation) bool {
	return matches(p.User, inv.User) &&
		p.matchesPrincipal(inv) &&
		matches(p.Account, inv.Account) &&
		matches(p.Region, inv.Region) &&
		matches(p.Model, inv.Model) &&
		matches(p.Operation, inv.Operation) &&
		(p.Until.IsZero() || inv.TimeSource != NoTime && inv.Time < p.Until.UnixNano())
}

// matchesPrincipal also knows a role by the name that IAM gives it
// (arn:aws:iam::ACCOUNT:role/ROLE), since that is what people look up.
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

// MatchesAny reports whether any of the patterns holds for inv.
func MatchesAny(patterns []Pattern, inv *Invocation) bool {
	for i := range patterns {
		if patterns[i].Match(inv) {
			return true
		}
	}
	return false
}

// Glob reports whether the whole value matches the glob, in which * stands for
// any run of characters but '/'. Its time is bounded by the product of both lengths.
func Glob(glob, value string) bool {
	// Where to go on when a match fails: behind the last star, one more byte of
	// the value given to it. An earlier star need never be tried again.
	star, taken := -1, 0
	g, v := 0, 0
	for v < len(value) {
		switch {
		case g < len(glob) && glob[g] == '*':
			star, taken = g, v
			g++
			if literal, _, _ := strings.Cut(glob[g:], "*"); !strings.Contains(value[v:], literal) {
				return false // it must come somewhere; most values that do not match end here
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
