// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation_test

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// A node is one value of a record, read from JSON text or from pdata.
type node struct {
	kind   kind
	text   string  // the text, or the digits of a number
	bad    bool    // a text with an escape that JSON does not define
	number float64 // NaN when the digits are no number
	yes    bool    // the value of a truth
	fields []field
	items  []*node
	source string // the JSON text of a list
	cut    bool   // broken off before its end
}

type field struct {
	key   string
	bad   bool // a key with an escape that JSON does not define: equal to nothing
	value *node
}

type kind uint8

const (
	null kind = iota
	truth
	number
	text
	octets // bytes, which only pdata has
	object
	list
)

// get returns the value of the last field with that name, at every step of a path; nil
// when there is none. A field whose value is cut off does not count.
func (n *node) get(path ...string) *node {
	for _, key := range path {
		n = n.last(key, false)
	}
	return n
}

// last returns the value of the last field with that name; with evenCut, also of one
// whose value is cut off.
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

// winners returns the fields that are the last of their name, in order.
func (n *node) winners() []field {
	var out []field
	for i, f := range n.fields {
		if !f.bad && !hasKey(n.fields[i+1:], f.key) {
			out = append(out, f)
		}
	}
	return out
}

// containers returns the fields that hold an object or a list, in order. A later field
// of the same name takes the place of the earlier one, or removes it when it holds
// something else.
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

// str returns the text of a node; "" for a node that is no text.
func (n *node) str() string {
	if n == nil || n.kind != text || n.bad {
		return ""
	}
	return n.text
}

// account returns an account id: a text, or a whole number with the leading zeros that
// make twelve digits.
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
	return fmt.Sprintf("%012d", int64(n.number))
}

// empty reports whether an attribute holds nothing.
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

// strs returns the text of a node that is a text, or the texts in a list.
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

// count returns a number that is not negative.
func (n *node) count() (float64, bool) {
	if n == nil || n.kind != number || math.IsNaN(n.number) || n.number < 0 {
		return 0, false
	}
	return n.number, true
}

// treeOf returns the tree of a pdata value.
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
