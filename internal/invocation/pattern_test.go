// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

// An exemption that matches too much hides an attack; one that matches too little wakes people for nothing.
func TestGlobMatchesExactlyItsValues(t *testing.T) {
	for _, test := range []struct {
		glob, value string
		want        bool
	}{
		{"", "", true},
		{"", "a", false},
		{"a", "", false},
		{"*", "", true},
		{"*", "anything: at all", true},
		{"**", "a", true},
		{"111122223333", "111122223333", true},
		{"111122223333", "1111222233334", false},
		{"11112222333", "111122223333", false},
		{"us-*", "us-east-1", true},
		{"us-*", "us-", true},
		{"us-*", "eu-us-1", false},
		{"*-1", "us-east-1", true},
		{"*-1", "us-east-12", false},
		{"us-*-1", "us-east-1", true},
		{"us-*-1", "us-gov-west-1", true},
		{"us-*-1", "us-1", false},
		{"*east*", "us-east-1", true},
		{"a*a", "a", false},
		{"ab*ba", "aba", false},
		{"*.rerank-*", "cohere.rerank-v3-5:0", true},
		{"*ab*", "aab", true},
		{"*aab", "aaab", true},
		{"CASE", "case", false},
		{"?", "a", false},
		{"[a]", "a", false},
		{"*", "ä\xff\x00\n", true},

		// A * does not match a slash.
		{"*", "a/b", false},
		{"*/*", "a/b", true},
		{"*/*", "a/b/c", false},
		{"*/", "a/", true},
		{"/*", "/a/", false},
		{"arn:aws:iam::*:role/red-team", "arn:aws:iam::111122223333:role/red-team", true},
		{"arn:aws:iam::*:role/red-team", "arn:aws:iam::111122223333:role/x/red-team", false},
		{"arn:aws:iam::*:role/red-*", "arn:aws:iam::111122223333:role/red-/admin", false},
		{"arn:aws:sts::*:assumed-role/bot/*", "arn:aws:sts::1:assumed-role/bot/any:role/session", false},

		// A * in the value is an ordinary character.
		{"a", "*", false},
		{"a*b", "a*b", true},
		{"a*", "a**", true},
	} {
		assert.Equal(t, test.want, Glob(test.glob, test.value), "%q, %q", test.glob, test.value)
	}
}

// slowGlob is Glob by exhaustive search.
func slowGlob(glob, value string) bool {
	switch {
	case glob == "":
		return value == ""
	case glob[0] != '*':
		return value != "" && value[0] == glob[0] && slowGlob(glob[1:], value[1:])
	case slowGlob(glob[1:], value):
		return true
	default:
		return value != "" && value[0] != '/' && slowGlob(glob, value[1:])
	}
}

func TestGlobAgreesWithExhaustiveSearch(t *testing.T) {
	globs := rapid.StringOfN(rapid.RuneFrom([]rune("ab/**")), 0, 10, -1)
	texts := rapid.StringOfN(rapid.RuneFrom([]rune("aab/*")), 0, 12, -1)
	for range 50 {
		rapid.Check(t, func(t *rapid.T) {
			glob, value := globs.Draw(t, "glob"), texts.Draw(t, "value")
			if Glob(glob, value) != slowGlob(glob, value) {
				t.Fatalf("Glob(%q, %q) is %v", glob, value, Glob(glob, value))
			}
		})
	}
}

// A glob must match every value that results from replacing its stars.
func TestGlobMatchesReplacedStars(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var glob, value strings.Builder
		for range rapid.IntRange(1, 6).Draw(t, "parts") {
			part := rapid.StringOf(rapid.RuneFrom([]rune("ab/:"))).Draw(t, "part")
			star := rapid.StringOf(rapid.RuneFrom([]rune("abc:é"))).Draw(t, "star")
			glob.WriteString(part + "*")
			value.WriteString(part + star)
		}
		if !Glob(glob.String(), value.String()) {
			t.Fatalf("%q does not match %q", glob.String(), value.String())
		}
	})
}

// A caller must not be able to stall the collector with the user name it chooses.
func TestGlobTakesBoundedTime(t *testing.T) {
	value := strings.Repeat("a", 20_000)
	begun := time.Now()
	for _, glob := range []string{
		strings.Repeat("*a", 200) + "*b",
		strings.Repeat("*", 200) + "b",
		strings.Repeat("*aaaaaaaaab", 50),
		strings.Repeat("a*", 200) + "b",
	} {
		assert.False(t, Glob(glob, value))
	}
	assert.Less(t, time.Since(begun), 10*time.Second)
}

func TestGlobAllocatesNothing(t *testing.T) {
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		assert.False(t, Glob("arn:aws:iam::*:role/*-team", "arn:aws:iam::111122223333:role/red-teams"))
	}))
}

func someInvocation() *Invocation {
	return &Invocation{
		Time:       time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC).UnixNano(),
		TimeSource: StatedTime,
		User:       "arn:aws:sts::111122223333:assumed-role/red-team/alice",
		Principal:  "arn:aws:sts::111122223333:assumed-role/red-team",
		Account:    "111122223333",
		Region:     "us-east-1",
		Model:      "amazon.nova-pro-v1:0",
		Operation:  "Converse",
	}
}

// An exemption must not apply when one of its fields does not match.
func TestPatternMatchesOnlyIfAllFieldsMatch(t *testing.T) {
	inv := someInvocation()
	all := Pattern{User: inv.User, Principal: inv.Principal, Account: inv.Account, Region: inv.Region, Model: inv.Model, Operation: inv.Operation}
	assert.True(t, all.Match(inv))
	assert.True(t, (&Pattern{}).Match(inv))

	for name, field := range map[string]func(*Pattern) *string{
		"user":      func(p *Pattern) *string { return &p.User },
		"principal": func(p *Pattern) *string { return &p.Principal },
		"account":   func(p *Pattern) *string { return &p.Account },
		"region":    func(p *Pattern) *string { return &p.Region },
		"model":     func(p *Pattern) *string { return &p.Model },
		"operation": func(p *Pattern) *string { return &p.Operation },
	} {
		one := Pattern{}
		*field(&one) = *field(&all)
		assert.True(t, one.Match(inv), "%s alone", name)
		one = all
		*field(&one) = "other"
		assert.False(t, one.Match(inv), "%s differs", name)
		*field(&one) += "*"
		assert.False(t, one.Match(&Invocation{}), "%s is empty", name)
	}
}

// An exemption that was granted for a time must end.
func TestPatternEndsAtItsTime(t *testing.T) {
	inv := someInvocation()
	when := time.Unix(0, inv.Time)
	match := func(until time.Time) bool { return (&Pattern{Account: "*", Until: until}).Match(inv) }
	assert.True(t, match(time.Time{}))
	assert.True(t, match(when.Add(1)))
	assert.False(t, match(when), "the end is exclusive")
	assert.False(t, match(when.Add(-1)))
	assert.True(t, match(when.Add(1).In(time.FixedZone("", 7200))))
	for _, year := range []int{2263, 2500, 2999, 9999} { // past what 64 bits of nanoseconds hold
		assert.True(t, match(time.Date(year, 12, 31, 0, 0, 0, 0, time.UTC)), year)
	}
	assert.False(t, match(time.Date(1600, 1, 1, 0, 0, 0, 0, time.UTC)))

	inv.TimeSource = ObservedTime
	assert.True(t, match(when.Add(1)))
	inv.TimeSource, inv.Time = NoTime, 0
	assert.False(t, match(when), "without a time, it may be after the end")
	assert.True(t, match(time.Time{}))
}

// People look roles up in IAM, which names a role differently from the records.
func TestPrincipalMatchesByItsRoleInIAM(t *testing.T) {
	for _, test := range []struct {
		glob, principal string
		want            bool
	}{
		{"arn:aws:iam::111122223333:role/red-team", "arn:aws:sts::111122223333:assumed-role/red-team", true},
		{"arn:aws:iam::*:role/red-*", "arn:aws:sts::111122223333:assumed-role/red-team", true},
		{"arn:aws:sts::*:assumed-role/red-*", "arn:aws:sts::111122223333:assumed-role/red-team", true},
		{"arn:aws-us-gov:iam::1:role/a", "arn:aws-us-gov:sts::1:assumed-role/a", true},
		{"arn:aws:iam::1:role/a", "arn:aws-us-gov:sts::1:assumed-role/a", false},
		{"arn:aws:iam::1:role/a", "arn:aws:sts::2:assumed-role/a", false},
		{"arn:aws:iam::1:role/b", "arn:aws:sts::1:assumed-role/a", false},
		{"arn:aws:iam::1:role/a", "arn:aws:iam::1:user/a", false},
		{"arn:aws:iam::1:user/a", "arn:aws:iam::1:user/a", true},
		{"arn:aws:iam::1:role/a/b", "arn:aws:sts::1:assumed-role/a/b", false},
		{"arn:aws:iam::1:role/a", "arn:aws:sts::1:assumed-role/", false},
		{"arn:aws:iam::*", "alice", false},
	} {
		assert.Equal(t, test.want, (&Pattern{Principal: test.glob}).Match(&Invocation{Principal: test.principal}), "%q, %q", test.glob, test.principal)
	}
}

func TestOneMatchingPatternIsEnough(t *testing.T) {
	inv := someInvocation()
	other, fits := Pattern{Account: "444455556666"}, Pattern{Region: "us-*"}
	assert.False(t, MatchesAny(nil, inv))
	assert.False(t, MatchesAny([]Pattern{other}, inv))
	assert.True(t, MatchesAny([]Pattern{other, fits}, inv))
	assert.True(t, MatchesAny([]Pattern{fits, other}, inv))
}
