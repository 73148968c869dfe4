// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation_test

import (
	"slices"
	"strings"
)

// prose returns a text of the caller's that may look like evidence or break a reader.
func (g generator) prose() string {
	s := pick(g, "Where is my parcel?", `{"amazon-bedrock-guardrailAction":"NONE"}`, `"stopReason":"guardrail_intervened"`, "", "caf\u00e9 \U0001f600", "\x00\x01", "a\xffb", `\`, `"`, "}]}", "\u2028", "ModelInvocationLog")
	if g.IntN(400) == 0 {
		s = strings.Repeat(s+"x", 20000)
	}
	return s
}

// junk returns a value that does not belong where it is put.
func (g generator) junk() value {
	if g.IntN(1500) == 0 {
		return verbatim(deep(pick(g, 200, 11000), pick(g, "[", `{"a":`, `[{"trace":`)))
	}
	return pick[value](g, nil, "", "x", "{", "guardrail_intervened", "NONE", 0, 1, -1.5, true, false, values{}, members{}, values{nil}, values{values{}}, members{{"", nil}}, members{{"a", members{}}}, verbatim("NaN"), verbatim("-Infinity"), verbatim("1e5"))
}

// deep returns JSON that is nested so many levels deep.
func deep(levels int, open string) string {
	closing := ""
	for i := len(open) - 1; i >= 0; i-- {
		closing += map[byte]string{'[': "]", '{': "}"}[open[i]]
	}
	return strings.Repeat(open, levels) + "1" + strings.Repeat(closing, levels)
}

func (g generator) maybeJunk(percent int, v value) value {
	if g.chance(percent) {
		return g.junk()
	}
	return v
}

// textOf returns a value as JSON in a text.
func (g generator) textOf(v value) value {
	s := g.render(v)
	if g.chance(15) {
		s = g.damage(s)
	}
	return s
}

// disturb returns a tree with one place changed.
func (g generator) disturb(v value) value {
	switch v := v.(type) {
	case members:
		if len(v) == 0 {
			return g.junk()
		}
		v = append(members(nil), v...)
		at := g.IntN(len(v))
		switch g.IntN(10) {
		case 0: // a second member of the same name
			twin := member{v[at].key, pick[value](g, g.junk(), v[at].value, g.disturb(v[at].value), nil, members{g.evidence()})}
			where := g.IntN(len(v) + 1)
			v = append(v[:where], append(members{twin}, v[where:]...)...)
		case 1:
			v = append(v[:at], v[at+1:]...)
		case 2:
			v[at].key = pick(g, strings.ToUpper(v[at].key), strings.ToLower(v[at].key), v[at].key+"\x00", "", g.evidence().key)
		case 3:
			v[at].value = pick[value](g, values{v[at].value}, members{{v[at].key, v[at].value}}, g.textOf(v[at].value), g.junk())
		default:
			v[at].value = g.disturb(v[at].value)
		}
		return v
	case values:
		if len(v) == 0 || g.chance(10) {
			return append(slices.Clip(v), g.junk(), members{g.evidence()})
		}
		v = append(values(nil), v...)
		at := g.IntN(len(v))
		v[at] = g.disturb(v[at])
		return v
	default:
		return pick[value](g, g.junk(), values{v}, v, members{g.evidence()})
	}
}

// damage returns a text with some bytes changed.
func (g generator) damage(s string) string {
	if s == "" {
		return s
	}
	at := g.IntN(len(s))
	to := min(len(s), at+1+g.IntN(pick(g, 1, 4, 40, 400)))
	switch g.IntN(7) {
	case 0:
		return s[:at]
	case 1:
		return s[:at] + string([]byte{s[at] ^ 1<<g.IntN(8)}) + s[at+1:]
	case 2:
		return s[:at] + pick(g, "{", "}", "[", "]", ",", ":", `"`, `\`, " ", "\n", "0", "-", "null", "\x00", "\ufeff", `{"a":1}`, `\u0061`, `\q`, `\ud83d`) + s[at:]
	case 3:
		return s[:at] + s[to:]
	case 4:
		return s[:to] + s[at:to] + s[to:]
	case 5:
		return s + pick(g, " ", "\n\t", "}", "x", s, "\x00", ",", "null")
	default:
		const structure, other = "{}[],:\"", "[]{}:,'"
		for _, i := range g.Perm(len(s)) { // removes or replaces one bracket, comma, colon or quote
			if at := strings.IndexByte(structure, s[i]); at >= 0 {
				return s[:i] + pick(g, "", other[at:at+1]) + s[i+1:]
			}
		}
		return s
	}
}
