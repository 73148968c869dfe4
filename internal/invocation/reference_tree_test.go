// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// A node is one value of a record, wherever it came from: JSON text or pdata.
type node struct {
	kind   kind
	text   string  // of a text; the digits of a number
	bad    bool    // a text with an escape that JSON does not know
	number float64 // of a number; NaN where the digits make no number
	yes    bool    // of a truth
	fields []field
	items  []*node
	source string // of a list, as it stands in JSON
	cut    bool   // broken off before its end
}

type field struct {
	key   string
	bad   bool // a key with an escape that JSON does not know: equal to nothing
	value *node
}

type kind uint8

const (
	null kind = iota
	truth
	number
	text
	octets // pdata knows bytes besides texts
	object
	list
)

// get returns what the last field of that name holds, nil where there is none.
// A field whose value is cut off is none.
func (n *node) get(path ...string) *node {
	for _, key := range path {
		n = n.last(key, false)
	}
	return n
}

func (n *node) last(key string, evenCut bool) (last *node) {
	if n != nil && n.kind == object {
		for _, f := range n.fields {
			if !f.bad && f.key == key && (evenCut || !f.value.cut) {
				last = f.value
			}
		}
	}
	return last
}

// winners returns the fields that are the last of their name, where they stand.
func (n *node) winners() []field {
	var out []field
	for i, f := range n.fields {
		if !f.bad && !hasKey(n.fields[i+1:], f.key) {
			out = append(out, f)
		}
	}
	return out
}

// containers returns the fields that end up as an object or a list, in order. A
// later one of the same name takes the place of the earlier; a value of another
// kind takes the name away.
func (n *node) containers() []field {
	var out []field
	for _, f := range n.fields {
		at := slices.IndexFunc(out, func(o field) bool { return o.key == f.key })
		switch ok := f.value.kind == object || f.value.kind == list; {
		case f.bad:
		case ok && at >= 0:
			out[at] = f
		case ok:
			out = append(out, f)
		case at >= 0:
			out = slices.Delete(out, at, at+1)
		}
	}
	return out
}

func hasKey(fields []field, key string) bool {
	for _, f := range fields {
		if !f.bad && f.key == key {
			return true
		}
	}
	return false
}

func (n *node) is(k kind) bool { return n != nil && n.kind == k }

// str is the text of a node, empty for anything that is not a text.
func (n *node) str() string {
	if n == nil || n.kind != text || n.bad {
		return ""
	}
	return n.text
}

// account is a text, or a whole number with the zeros back that make twelve digits.
func (n *node) account() string {
	if s := n.str(); s != "" && len(s) != 12 && strings.Trim(s, "0123456789.eE+") == "" {
		value, err := strconv.ParseFloat(s, 64)
		if short := (&node{kind: number, number: value}).account(); err == nil && value < 1e12 && short != "" {
			return short
		}
	}
	if n == nil || n.kind != number {
		return n.str()
	}
	if !(n.number >= 0 && n.number < 1<<53) || n.number != math.Trunc(n.number) {
		return ""
	}
	return fmt.Sprintf("%012.0f", n.number)
}

// empty says whether an attribute holds nothing.
func (n *node) empty() bool {
	if n == nil {
		return true
	}
	switch n.kind {
	case null:
		return true
	case text, octets:
		return n.text == ""
	case object:
		return len(n.fields) == 0
	case list:
		return len(n.items) == 0
	default:
		return false
	}
}

// strs are the texts of a node that is a text or a list with texts in it.
func (n *node) strs() []string {
	var out []string
	switch {
	case n == nil:
	case n.kind == text:
		out = append(out, n.str())
	case n.kind == list:
		for _, item := range n.items {
			out = append(out, item.str())
		}
	}
	return out
}

// count is a number that is not negative.
func (n *node) count() (float64, bool) {
	if n == nil || n.kind != number || math.IsNaN(n.number) || n.number < 0 {
		return 0, false
	}
	return n.number, true
}

// treeOf turns a pdata value into a node.
func treeOf(v pcommon.Value) *node {
	switch v.Type() {
	case pcommon.ValueTypeStr:
		return &node{kind: text, text: v.Str()}
	case pcommon.ValueTypeBytes:
		return &node{kind: octets, text: string(v.Bytes().AsRaw())}
	case pcommon.ValueTypeBool:
		return &node{kind: truth, yes: v.Bool()}
	case pcommon.ValueTypeInt:
		return &node{kind: number, number: float64(v.Int()), text: strconv.FormatInt(v.Int(), 10)}
	case pcommon.ValueTypeDouble:
		return &node{kind: number, number: v.Double()}
	case pcommon.ValueTypeMap:
		return treeOfMap(v.Map())
	case pcommon.ValueTypeSlice:
		n := &node{kind: list}
		for _, item := range v.Slice().All() {
			n.items = append(n.items, treeOf(item))
		}
		return n
	default:
		return &node{kind: null}
	}
}

func treeOfMap(m pcommon.Map) *node {
	n := &node{kind: object}
	for key, v := range m.All() {
		n.fields = append(n.fields, field{key: key, value: treeOf(v)})
	}
	return n
}

// skipBlank skips the mark that some writers begin with, and white space.
func skipBlank(s string) string {
	return strings.TrimLeft(strings.TrimPrefix(s, "\ufeff"), " \t\r\n")
}

var errBroken = errors.New("broken")

// parseTree reads the JSON value that is all of s. Where s breaks, it returns
// errBroken and what was read before, where it broke off marked as cut.
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

// parseWhole reads a JSON value that is all of s, or nothing.
func parseWhole(s string) (*node, error) {
	n, err := parseTree(s)
	if err != nil {
		return nil, err
	}
	return n, nil
}

type treeParser struct{ in string } // what is still to be read

func (p *treeParser) blank() { p.in = strings.TrimLeft(p.in, " \t\r\n") }

// take removes s from the front of the input, if it stands there.
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
	if digits == p.in { // there may be more of them behind a cut
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

// text reads a string whose opening quote is behind us. A backslash takes the
// byte behind it, whatever that is; bad tells of an escape without a meaning.
func (p *treeParser) text() (s string, bad bool, err error) {
	end := 0
	for ; end < len(p.in) && p.in[end] != '"'; end++ {
		if p.in[end] == '\\' {
			end++
		}
	}
	if end >= len(p.in) { // what there is of it, but for half an escape
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
