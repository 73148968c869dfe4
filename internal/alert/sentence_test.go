// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package alert

import (
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"example.com/otelcol-guardrail/internal/detect"
)

// Whoever is woken by the alert reads this sentence first, and often nothing else.
func TestSentenceSaysWhoDidWhatAndWhen(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*Rule, *detect.Alert)
		want   string
	}{
		"a user of an account": {
			func(*Rule, *detect.Alert) {},
			"User arn:aws:iam::111122223333:user/alice in account 111122223333 made 6 invocations without a guardrail within 1m " +
				"(from 2026-03-14T09:12:00Z to 2026-03-14T09:12:10Z), more than the 5 allowed.",
		},
		"one invocation, none allowed": {
			func(r *Rule, a *detect.Alert) { r.Threshold, a.Count, a.Last = 0, 1, a.First },
			"User arn:aws:iam::111122223333:user/alice in account 111122223333 made 1 invocation without a guardrail within 1m " +
				"(at 2026-03-14T09:12:00Z), where none is allowed.",
		},
		"more and more, none allowed": {
			func(r *Rule, a *detect.Alert) { r.Threshold, a.Count, a.State = 0, 11, detect.Escalated },
			"User arn:aws:iam::111122223333:user/alice in account 111122223333 has made 11 invocations without a guardrail by now " +
				"(from 2026-03-14T09:12:00Z to 2026-03-14T09:12:10Z), where none is allowed.",
		},
		"more and more after a block": {
			func(r *Rule, a *detect.Alert) {
				r.Threshold, a.Count, a.State = 1, 11, detect.Escalated
				a.Intervention = &detect.Intervention{Time: a.First, GuardrailID: "k1"}
			},
			"User arn:aws:iam::111122223333:user/alice in account 111122223333 has made 11 invocations without a guardrail by now " +
				"(from 2026-03-14T09:12:00Z to 2026-03-14T09:12:10Z), where 1 within 1m is allowed after guardrail k1 intervened at 2026-03-14T09:12:00Z.",
		},
		"several at the same time": {
			func(_ *Rule, a *detect.Alert) { a.Last = a.First },
			"User arn:aws:iam::111122223333:user/alice in account 111122223333 made 6 invocations without a guardrail within 1m " +
				"(at 2026-03-14T09:12:00Z), more than the 5 allowed.",
		},
		"no account": {
			func(_ *Rule, a *detect.Alert) { a.Group = []string{"alice", ""} },
			"User alice made 6 invocations without a guardrail within 1m " +
				"(from 2026-03-14T09:12:00Z to 2026-03-14T09:12:10Z), more than the 5 allowed.",
		},
		"an account's models in a region": {
			func(r *Rule, a *detect.Alert) {
				r.GroupBy = []string{"cloud.account.id", "gen_ai.request.model", "cloud.region"}
				a.Group = []string{"111122223333", "amazon.nova-pro-v1:0", "us-east-1"}
				r.WindowSize = 61 * time.Minute
			},
			"Account 111122223333 with model amazon.nova-pro-v1:0 in region us-east-1 made 6 invocations without a guardrail within 1h1m " +
				"(from 2026-03-14T09:12:00Z to 2026-03-14T09:12:10Z), more than the 5 allowed.",
		},
		"a session, which is longer than its gaps": {
			func(r *Rule, a *detect.Alert) {
				r.WindowType, r.WindowSize = "session", 5*time.Minute
				a.Last = a.First + int64(20*time.Minute)
			},
			"User arn:aws:iam::111122223333:user/alice in account 111122223333 made 6 invocations without a guardrail in a session with gaps " +
				"of at most 5m (from 2026-03-14T09:12:00Z to 2026-03-14T09:32:00Z), more than the 5 allowed.",
		},
		"a session that goes on": {
			func(r *Rule, a *detect.Alert) {
				r.WindowType, r.WindowSize = "session", 5*time.Minute
				a.State, a.Count = detect.Escalated, 51
				a.Last = a.First + int64(3*time.Hour)
			},
			"User arn:aws:iam::111122223333:user/alice in account 111122223333 has made 51 invocations without a guardrail by now " +
				"(from 2026-03-14T09:12:00Z to 2026-03-14T12:12:00Z), where 5 in a session with gaps of at most 5m are allowed.",
		},
		"a principal and a custom attribute": {
			func(r *Rule, a *detect.Alert) {
				r.GroupBy = []string{"gen_ai_guardrail.principal", "team.name"}
				a.Group = []string{"arn:aws:sts::111122223333:assumed-role/bot", "blue"}
				r.Counted = "judged unknown/no_body"
			},
			"Principal arn:aws:sts::111122223333:assumed-role/bot with team.name blue made 6 invocations judged unknown/no_body within 1m " +
				"(from 2026-03-14T09:12:00Z to 2026-03-14T09:12:10Z), more than the 5 allowed.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, a := bursts(), burst()
			test.change(&r, &a)
			assert.Equal(t, test.want, r.sentence(&a, Guarded{}))
		})
	}
}

// A caller chooses its user name. It must not be able to control the terminal, or to
// forge lines in the log, of the person who reads the alert.
func TestUserNameCannotControlTheReadersTerminal(t *testing.T) {
	for name, user := range map[string]string{
		"newline":         "alice\nFATAL everything is fine",
		"carriage return": "alice\rUser bob",
		"colour":          "\x1b[31malice\x1b[0m",
		"title":           "\x1b]0;pwned\x07alice",
		"one-byte escape": "\u009b31malice",
		"tab and null":    "al\tice\x00",
		"right to left":   "\u202eecila",
		"zero width":      "al\u200bice",
		"not UTF-8":       "al\xffice\x9b",
	} {
		t.Run(name, func(t *testing.T) {
			r, a := bursts(), burst()
			a.Group[0] = user
			sentence := r.sentence(&a, Guarded{})
			assert.True(t, utf8.ValidString(sentence))
			assert.Contains(t, sentence, "\ufffd", "a mark replaces what was removed")
			for _, c := range sentence {
				assert.True(t, unicode.IsPrint(c), "%U in %q", c, sentence)
			}
			// Attributes are for machines, which get the value unchanged if it is valid UTF-8.
			if utf8.ValidString(user) {
				assert.Equal(t, user, attribute(t, write(r, a), "user.id"))
			}
		})
	}
}

func TestSentenceStaysReadableForAnyValue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, a := bursts(), burst()
		bytes := rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return "x" + string(b) })
		a.Group = []string{bytes.Draw(t, "user"), rapid.String().Draw(t, "account")}
		sentence := r.sentence(&a, Guarded{})
		for _, c := range sentence {
			if !unicode.IsPrint(c) {
				t.Fatalf("%U in %q", c, sentence)
			}
		}
		if !strings.HasPrefix(sentence, "User x") || !strings.HasSuffix(sentence, "more than the 5 allowed.") {
			t.Fatalf("%q", sentence)
		}
	})
}

// A user name of a megabyte must not fill a pager; the attribute holds all of it.
func TestLongValuesAreCutOnlyInTheSentence(t *testing.T) {
	r, a := bursts(), burst()
	a.Group[0] = strings.Repeat("ä", 1<<20)
	sentence := r.sentence(&a, Guarded{})
	assert.Less(t, utf8.RuneCountInString(sentence), 500)
	assert.Contains(t, sentence, "User "+strings.Repeat("ä", 200)+"… in account 111122223333 made")
	assert.Equal(t, a.Group[0], attribute(t, write(r, a), "user.id"))

	a.Group[0] = strings.Repeat("ä", 200)
	assert.Contains(t, r.sentence(&a, Guarded{}), a.Group[0]+" in account", "a value that fits is not cut")
}

func TestDurationIsWrittenAsInTheConfiguration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		time.Millisecond:           "1ms",
		1500 * time.Millisecond:    "1.5s",
		30 * time.Second:           "30s",
		time.Minute:                "1m",
		10 * time.Minute:           "10m",
		90 * time.Second:           "1m30s",
		time.Hour:                  "1h",
		61 * time.Minute:           "1h1m",
		time.Hour + time.Second:    "1h0m1s",
		24 * time.Hour:             "24h",
		20*time.Hour + time.Minute: "20h1m",
	} {
		assert.Equal(t, want, duration(d))
	}
}
