// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package alert

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"example.com/otelcol-guardrail/internal/detect"
)

// phrases says in words what a value of a group is, for the usual keys.
var phrases = map[string]string{
	"user.id":                    "user",
	"gen_ai_guardrail.principal": "principal",
	"cloud.account.id":           "account",
	"cloud.region":               "region",
	"gen_ai.request.model":       "model",
}

// sentence returns the body of an alert record: one plain sentence.
func (r *Rule) sentence(a *detect.Alert, guarded Guarded) string {
	var sentence string
	switch a.State {
	case detect.Open:
		sentence = fmt.Sprintf("%s made %s %s (%s), %s%s%s.",
			r.subject(a.Group), r.invocations(a), r.window(), span(a), r.excess(), afterIntervention(a), guarded.clause(a.First))
	case detect.Escalated:
		sentence = fmt.Sprintf("%s has made %s by now (%s), where %s%s%s.",
			r.subject(a.Group), r.invocations(a), span(a), r.allowance(), afterIntervention(a), guarded.clause(a.First))
	case detect.Closed:
		ending := "this alert is closed."
		if a.Merged {
			ending = "this alert goes on in an earlier one."
		}
		sentence = fmt.Sprintf("%s made %s in all (%s); %s", r.subject(a.Group), r.invocations(a), span(a), ending)
	case detect.Overflow:
		sentence = r.overflowSentence(a.Overflow)
	}
	first, size := utf8.DecodeRuneInString(sentence)
	return string(unicode.ToUpper(first)) + sentence[size:]
}

// overflowSentence returns the sentence of an overflow alert, without a capital letter.
func (r *Rule) overflowSentence(s *detect.Summary) string {
	var parts []string
	switch n := len(s.Groups); n {
	case 0:
	case 1:
		parts = append(parts, fmt.Sprintf("one more group made %d invocations %s and is summed up here, since the limit is %d alerts in ten minutes",
			s.Invocations, r.Counted, r.Limit))
	default:
		parts = append(parts, fmt.Sprintf("%d more groups made %d invocations %s and are summed up here, since the limit is %d alerts in ten minutes",
			n, s.Invocations, r.Counted, r.Limit))
	}
	switch s.Evicted {
	case 0:
	case 1:
		parts = append(parts, "one group was forgotten for lack of memory (max_state_mib)")
	default:
		parts = append(parts, fmt.Sprintf("%d groups were forgotten for lack of memory (max_state_mib), the quietest first", s.Evicted))
	}
	return strings.Join(parts, "; ") + "."
}

// invocations returns the counted invocations: "6 invocations without a guardrail".
func (r *Rule) invocations(a *detect.Alert) string {
	count := strconv.Itoa(a.Count)
	if !a.Exact {
		count = "at least " + count
	}
	noun := "invocations"
	if a.Count == 1 {
		noun = "invocation"
	}
	return count + " " + noun + " " + r.Counted
}

// sessionWindow is the window type of sessions, whose size is that of their gaps and not of the window.
const sessionWindow = "session"

// window returns the window that the threshold applies to, as it reads after the invocations.
func (r *Rule) window() string {
	if r.WindowType == sessionWindow {
		return "in a session with gaps of at most " + duration(r.WindowSize)
	}
	return "within " + duration(r.WindowSize)
}

// excess returns how the count relates to the threshold, as it reads after a comma.
func (r *Rule) excess() string {
	if r.Threshold == 0 {
		return "where " + r.allowance()
	}
	return fmt.Sprintf("more than the %d allowed", r.Threshold)
}

// allowance returns how many invocations are allowed, as it reads after "where".
func (r *Rule) allowance() string {
	switch r.Threshold {
	case 0:
		return "none is allowed"
	case 1:
		return "1 " + r.window() + " is allowed"
	default:
		return fmt.Sprintf("%d %s are allowed", r.Threshold, r.window())
	}
}

// afterIntervention returns which intervention the invocations follow, as it reads after what
// is allowed; empty where they need not follow one.
func afterIntervention(a *detect.Alert) string {
	if a.Intervention == nil {
		return ""
	}
	guardrail := "a guardrail"
	if id := a.Intervention.GuardrailID; id != "" {
		guardrail = "guardrail " + legible(id)
	}
	return fmt.Sprintf(" after %s intervened at %s", guardrail, clock(a.Intervention.Time))
}

// span returns when the first and the last invocation happened.
func span(a *detect.Alert) string {
	if a.First == a.Last {
		return "at " + clock(a.First)
	}
	return "from " + clock(a.First) + " to " + clock(a.Last)
}

// subject returns the group in words: "user alice in account 111122223333".
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

// maxLegible is how many characters of a value a sentence shows at most.
const maxLegible = 200

// legible returns a value in a form that is safe in a sentence on a terminal: on one line,
// without control sequences, not too long. The attributes hold the value unchanged.
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

// clock returns a time in Unix nanoseconds as RFC 3339, to the second.
func clock(ns int64) string {
	return time.Unix(0, ns).UTC().Format("2006-01-02T15:04:05Z")
}

// duration returns a duration without trailing units that are zero: 1m, not 1m0s.
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
