// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation_test

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// skipBlank returns s without the byte order mark and the white space that it begins with.
func skipBlank(s string) string {
	return strings.TrimLeft(strings.TrimPrefix(s, "\ufeff"), " \t\r\n")
}

var errBroken = errors.New("broken")

// parseTree returns the JSON value that is all of s. If s is broken, it returns errBroken
// and the value read so far, in which the nodes that break off are marked as cut.
func parseTree(s string) (*node, error) {
	p := &treeParser{in: skipBlank(s)}
	n, err := p.value()
	if err == nil {
		if p.blank(); p.in != "" {
			err = errBroken
		}
	}
	return n, err
}

// parseWhole returns the JSON value that is all of s; nil and an error if s is broken.
func parseWhole(s string) (*node, error) {
	n, err := parseTree(s)
	if err != nil {
		return nil, err
	}
	return n, nil
}

type treeParser struct{ in string } // the rest of the input

func (p *treeParser) blank() { p.in = strings.TrimLeft(p.in, " \t\r\n") }

// take removes s from the front of the input and reports whether it was there.
func (p *treeParser) take(s string) bool {
	rest, ok := strings.CutPrefix(p.in, s)
	p.in = rest
	return ok
}

func (p *treeParser) value() (*node, error) {
	p.blank()
	switch {
	case p.take("{"):
		return p.object()
	case strings.HasPrefix(p.in, "["):
		source := p.in
		p.take("[")
		n, err := p.list()
		n.source = source
		if err == nil {
			n.source = source[:len(source)-len(p.in)]
		}
		return n, err
	case p.take(`"`):
		s, bad, err := p.text()
		return &node{kind: text, text: s, bad: bad, cut: err != nil}, err
	case p.take("null"):
		return &node{kind: null}, nil
	case p.take("true"):
		return &node{kind: truth, yes: true}, nil
	case p.take("false"):
		return &node{kind: truth}, nil
	case p.take("NaN"):
		return &node{kind: number, number: math.NaN()}, nil
	case p.take("Infinity"):
		return &node{kind: number, number: math.Inf(1)}, nil
	case p.take("-Infinity"):
		return &node{kind: number, number: math.Inf(-1)}, nil
	}
	digits := p.in[:len(p.in)-len(strings.TrimLeft(p.in, "0123456789+-.eE"))]
	if digits == "" || !strings.Contains("-0123456789", digits[:1]) {
		return nil, errBroken
	}
	if digits == p.in { // more digits may have been cut off
		p.in = ""
		return &node{kind: number, number: math.NaN()}, nil
	}
	p.take(digits)
	value, err := strconv.ParseFloat(digits, 64)
	if err != nil {
		value = math.NaN()
	}
	return &node{kind: number, number: value, text: digits}, nil
}

func (p *treeParser) object() (n *node, err error) {
	n = &node{kind: object}
	defer func() { n.cut = err != nil }()
	for p.blank(); !p.take("}"); p.blank() {
		if len(n.fields) > 0 && !p.take(",") {
			return n, errBroken
		}
		p.blank()
		if !p.take(`"`) {
			return n, errBroken
		}
		key, bad, err := p.text()
		if err != nil {
			return n, err
		}
		p.blank()
		if !p.take(":") {
			return n, errBroken
		}
		value, err := p.value()
		if value == nil {
			value = &node{kind: null, cut: true}
		}
		n.fields = append(n.fields, field{key: key, bad: bad, value: value})
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

func (p *treeParser) list() (n *node, err error) {
	n = &node{kind: list}
	defer func() { n.cut = err != nil }()
	for p.blank(); !p.take("]"); p.blank() {
		if len(n.items) > 0 && !p.take(",") {
			return n, errBroken
		}
		item, err := p.value()
		if item != nil {
			n.items = append(n.items, item)
		}
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// text reads a string after its opening quote. A backslash escapes the byte after it. bad
// reports whether JSON does not define one of the escapes.
func (p *treeParser) text() (s string, bad bool, err error) {
	end := 0
	for ; end < len(p.in) && p.in[end] != '"'; end++ {
		if p.in[end] == '\\' {
			end++
		}
	}
	if end >= len(p.in) { // the part that is there, without an incomplete escape
		for trimmed := 0; ; trimmed++ {
			if s, ok := unescape(p.in); ok || p.in == "" || trimmed == len(`\ud83d\ude00`) {
				return s, !ok, errBroken
			}
			p.in = p.in[:len(p.in)-1]
		}
	}
	raw := p.in[:end]
	p.in = p.in[end+1:]
	s, ok := unescape(raw)
	return s, !ok, nil
}

func unescape(raw string) (string, bool) {
	var out strings.Builder
	for raw != "" {
		plain, rest, escape := strings.Cut(raw, `\`)
		out.WriteString(plain)
		if !escape {
			break
		}
		if rest == "" {
			return "", false
		}
		raw = rest[1:]
		if at := strings.IndexByte(`"\/bfnrt`, rest[0]); at >= 0 {
			out.WriteByte("\"\\/\b\f\n\r\t"[at])
			continue
		}
		if rest[0] != 'u' {
			return "", false
		}
		unit, ok := hex4(raw)
		if !ok {
			return "", false
		}
		raw = raw[4:]
		if utf16.IsSurrogate(unit) {
			second, ok := rune(0), false
			if strings.HasPrefix(raw, `\u`) {
				second, ok = hex4(raw[2:])
			}
			if unit = utf16.DecodeRune(unit, second); ok && unit != utf8.RuneError {
				raw = raw[6:]
			}
		}
		out.WriteRune(unit)
	}
	return out.String(), true
}

func hex4(s string) (rune, bool) {
	if len(s) < 4 || strings.Trim(s[:4], "0123456789abcdefABCDEF") != "" {
		return 0, false
	}
	unit, err := strconv.ParseUint(s[:4], 16, 32)
	return rune(unit), err == nil
}
