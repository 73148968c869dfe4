// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package alert

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"example.com/otelcol-guardrail/internal/detect"
)

// phrases say what a group's value is, for the keys that people group by most.
var phrases = map[string]string{
	"user.id":                    "user",
	"gen_ai_guardrail.principal": "principal",
	"cloud.account.id":           "account",
	"cloud.region":               "region",
	"gen_ai.request.model":       "model",
}

// sentence tells an alert in one plain sentence.
func (r *Rule) sentence(a *detect.Alert) string {
	span := "at " + clock(a.First)
	if a.Last != a.First {
		span = "from " + clock(a.First) + " to " + clock(a.Last)
	}
	invocations := "invocations"
	if a.Count == 1 {
		invocations = "invocation"
	}
	sentence := fmt.Sprintf("%s made %d %s %s within %s (%s), more than the %d allowed.",
		r.subject(a.Group), a.Count, invocations, r.Counted, duration(r.WindowSize), span, r.Threshold)
	first, size := utf8.DecodeRuneInString(sentence)
	return string(unicode.ToUpper(first)) + sentence[size:]
}

// subject names a group: "user alice in account 111122223333".
func (r *Rule) subject(values []string) string {
	var b strings.Builder
	for i, key := range r.GroupBy {
		if values[i] == "" {
			continue
		}
		what, known := phrases[key]
		first := b.Len() == 0
		if !first {
			b.WriteByte(' ')
		}
		switch {
		case !known && first:
			b.WriteString("group with " + key)
		case !known:
			b.WriteString("with " + key)
		case first:
			b.WriteString(what)
		case key == "gen_ai.request.model":
			b.WriteString("with model")
		default:
			b.WriteString("in " + what)
		}
		b.WriteByte(' ')
		b.WriteString(legible(values[i]))
	}
	return b.String()
}

// maxLegible is how many characters of a value a sentence shows.
const maxLegible = 200

// legible makes a value fit to stand in a sentence on a terminal: on one line,
// without control sequences, not too long. The attributes carry it as it is.
func legible(value string) string {
	value = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return utf8.RuneError
		}
		return r
	}, value)
	if utf8.RuneCountInString(value) > maxLegible {
		return string([]rune(value)[:maxLegible]) + "…"
	}
	return value
}

func clock(ns int64) string {
	return time.Unix(0, ns).UTC().Format("2006-01-02T15:04:05Z")
}

// duration writes a duration without the units that are zero: 1m, not 1m0s.
func duration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}
