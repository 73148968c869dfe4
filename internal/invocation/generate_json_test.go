// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation_test

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// render returns a value as JSON, in one of many spellings.
func (g generator) render(v value) string {
	w := &writer{g: g, odd: g.chance(40), airy: g.chance(25)}
	if g.chance(6) {
		w.WriteString(pick(g, "\ufeff", " ", "\n\t", "\ufeff\n", " \ufeff"))
	}
	w.write(v)
	if g.chance(6) {
		w.WriteString(pick(g, "\n", " \r\n"))
	}
	return w.String()
}

type writer struct {
	strings.Builder
	g    generator
	odd  bool // writes unusual escapes
	airy bool // adds white space
}

// air writes white space, sometimes.
func (w *writer) air() {
	if w.airy && w.g.chance(20) {
		w.WriteString(pick(w.g, " ", "\n", "\t", "\r\n  "))
	}
}

func (w *writer) write(v value) {
	w.air()
	switch v := v.(type) {
	case nil:
		w.WriteString("null")
	case string:
		w.text(v)
	case verbatim:
		w.WriteString(string(v))
	case members:
		w.WriteByte('{')
		for i, m := range v {
			if i > 0 {
				w.WriteByte(',')
			}
			w.air()
			w.text(m.key)
			w.air()
			w.WriteByte(':')
			w.write(m.value)
		}
		w.air()
		w.WriteByte('}')
	case values:
		w.WriteByte('[')
		for i, item := range v {
			if i > 0 {
				w.WriteByte(',')
			}
			w.write(item)
		}
		w.air()
		w.WriteByte(']')
	default:
		fmt.Fprint(w, v)
	}
	w.air()
}

func (w *writer) text(s string) {
	w.WriteByte('"')
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		part := s[:size]
		s = s[size:]
		short := strings.IndexByte("\"\\\b\f\n\r\t", part[0])
		switch {
		case w.odd && w.g.IntN(1000) == 0:
			w.WriteString(pick(w.g, `\q`, `\u12`, `\ud83d`, `\'`, `\ud83d\u0041`, "\x01", `\uZZZZ`))
		case short >= 0 && (short < 2 || w.g.chance(80)):
			w.WriteString(`\` + `"\bfnrt`[short:short+1])
		case r == utf8.RuneError || !w.odd || !w.g.chance(4):
			w.WriteString(part)
		case r > 0xffff:
			r -= 0x10000
			fmt.Fprintf(w, `\u%04x\u%04X`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		default:
			fmt.Fprintf(w, pick(w.g, `\u%04x`, `\u%04X`), r)
		}
	}
	w.WriteByte('"')
}
