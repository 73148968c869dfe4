// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation_test

import (
	"regexp"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// A location is where a Bedrock record was found; nil when there is none.
type location struct {
	record  *node // nil when there are several
	whole   bool
	parsed  bool // by a pipeline, before it came here
	several bool
}

// wrappers is how many wrappers are taken off at most.
const wrappers = 4

// wrapperKeys are the keys under which a whole record may stand.
var wrapperKeys = strings.Fields("message MESSAGE msg @message log event original event.original log.record.original logEvents events records Records _raw line log_processed short_message full_message")

// locate looks for the record that a body or an attribute is, or that it holds.
func locate(v pcommon.Value, depth int) *location {
	switch v.Type() {
	case pcommon.ValueTypeStr, pcommon.ValueTypeBytes:
		return locateText(treeOf(v).text, depth)
	case pcommon.ValueTypeMap:
		if record := treeOf(v); plainlyBedrock(record) {
			return &location{record: record, whole: true, parsed: true}
		}
		if depth > 0 {
			return locateInMap(v.Map(), depth)
		}
	case pcommon.ValueTypeSlice:
		for _, item := range v.Slice().All() {
			if depth == 0 {
				break
			}
			if at := locate(item, depth-1); at != nil {
				if v.Slice().Len() > 1 {
					return &location{several: true}
				}
				return at
			}
		}
	default:
	}
	return nil
}

func locateInMap(m pcommon.Map, depth int) (broken *location) {
	for key, v := range m.All() {
		if slices.Contains(wrapperKeys, key) {
			at := locate(v, depth-1)
			if at != nil && (at.whole || at.several) {
				return at
			}
			if broken == nil {
				broken = at
			}
		}
	}
	return broken
}

// locateText looks for the record that a text is, or that it holds.
func locateText(s string, depth int) *location {
	s = strings.TrimRight(strings.TrimLeft(s, " \t\r\n\x00\ufeff"), " \t\r\n\x00")
	switch {
	case strings.HasPrefix(s, "{"):
		p := &treeParser{in: s}
		first, err := p.value()
		if p.blank(); err == nil && p.in != "" {
			return locateSequence(s, depth)
		}
		return locateNode(first, depth)
	case depth == 0:
		return nil
	case strings.HasPrefix(s, `"`):
		if text, err := parseTree(s); err == nil {
			return locateNode(text, depth-1)
		}
		return nil
	case strings.HasPrefix(s, "["):
		if at := locateSequence(s, depth); at != nil {
			return at
		}
	}
	if rest, ok := afterHeader(s); ok {
		return locateText(rest, depth-1)
	}
	return nil
}

// locateNode looks for the record that a JSON value is, or that it holds.
func locateNode(n *node, depth int) *location {
	switch {
	case n == nil || n.bad:
	case n.kind == text:
		at := locateText(n.text, depth)
		if at != nil && n.cut {
			at.whole = false
		}
		return at
	case n.kind == object:
		if plainlyBedrock(n) {
			return &location{record: n, whole: !n.cut}
		}
		if depth == 0 {
			return nil
		}
		var broken *location
		tried := 0
		for _, f := range n.fields {
			if f.bad || !slices.Contains(wrapperKeys, f.key) || tried == 4 {
				continue
			}
			tried++
			at := locateNode(f.value, depth-1)
			if at != nil && (at.whole || at.several) {
				return at
			}
			if broken == nil {
				broken = at
			}
		}
		return broken
	case n.kind == list && depth > 0:
		return locateSequence(n.source, depth)
	}
	return nil
}

// locateSequence looks for records in an array, or in objects one after the other.
func locateSequence(s string, depth int) *location {
	inner := max(0, depth-1)
	items, rest, whole := sequenceOf(s)
	var found []*location
	for _, item := range items {
		if at := locateNode(item, inner); at != nil {
			found = append(found, at)
		}
	}
	count := len(items)
	if next, ok := afterHeader(rest); ok && s[0] == '{' {
		rest = next
	}
	if at := locateCut(rest, inner); at != nil {
		found = append(found, at)
		count++
		whole = false
	}
	switch {
	case len(found) == 0:
		return nil
	case count > 1:
		return &location{several: true}
	case whole:
		return found[0]
	case s[0] == '{' && depth != 0 && depth != wrappers:
		return nil
	default:
		return &location{record: found[0].record, whole: false, parsed: found[0].parsed}
	}
}

// locateCut looks for a record at the beginning of a text that breaks off.
func locateCut(s string, depth int) *location {
	if s == "" {
		return nil
	}
	switch {
	case s[0] == '{':
		return locateText(s, depth)
	case s[0] == '[' && depth == 0:
		return nil
	case s[0] == '[':
		return locateSequence(s, depth)
	}
	cut, _ := (&treeParser{in: s}).value()
	return locateNode(cut, depth)
}

// sequenceOf returns the elements of an array, or the objects that a text begins with;
// rest is the text that cannot be read.
func sequenceOf(s string) (items []*node, rest string, whole bool) {
	p := &treeParser{in: s}
	array := p.take("[")
	for p.blank(); ; p.blank() {
		if array && p.take("]") {
			p.blank()
			return items, p.in, p.in == ""
		}
		if array && len(items) > 0 && !p.take(",") || !array && !strings.HasPrefix(p.in, "{") {
			return items, p.in, !array && p.in == ""
		}
		p.blank()
		rest := p.in
		item, err := p.value()
		if err != nil {
			return items, rest, false
		}
		items = append(items, item)
	}
}

// afterHeader returns a line without what syslog daemons, container runtimes and command
// line tools put in front of it: a time, and the words that they write after it.
func afterHeader(s string) (rest string, ok bool) {
	limit := s[:min(len(s), 1024)]
	if !strings.Contains(limit, "{") {
		return "", false
	}
	for at := range len(limit) {
		if at == 0 || limit[at] != '{' && limit[at] != '[' {
			continue
		}
		for _, form := range headerForms {
			if m := form.FindStringSubmatch(limit[:at]); m != nil {
				host := form.SubexpIndex("host")
				rest, ok = s[at:], host < 0 || !logLevel.MatchString(m[host]) // the last one counts: a program's number stands in brackets
			}
		}
	}
	return rest, ok
}

var logLevel = regexp.MustCompile(`(?i)^\[?(trace|debug|info|notice|warn|warning|error|err|fatal|critical|crit)\]?$`)

var headerForms = func() (forms []*regexp.Regexp) {
	const (
		clock  = `(\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d(:\d\d)?([.,]\d+)?( ?(Z|UTC|[+-]\d\d:?\d\d))?|\d{10}(\d{3})?(\.\d+)?)`
		date   = `([A-Z][a-z]{2} )?[A-Z][a-z]{2} [ \d]?\d (\d{4} )?\d\d:\d\d:\d\d(\.\d+)?( \d{4})?`
		time   = `(([A-Z][a-z]{2} )?` + clock + `|\[` + clock + `\]):?`
		pri    = `(\d+ )?<\d{1,3}>`
		aWord  = `[^\s{"]+`
		fields = `1( [^\s{"]+){5} `
	)
	for _, form := range []string{
		``, // before a cookie
		pri,
		pri + `(` + date + `|` + clock + `):?( ` + aWord + `){0,2}`,
		pri + fields + `-`,
		pri + fields + `(\[[^\]"]*("([^"\\]|\\.)*"[^\]"]*)*\])+`,
		date + `:?( ` + aWord + `)?( ` + aWord + `:)?`,
		time,
		time + ` (stdout|stderr) [FP]\S*`,
		time + `\t` + aWord + `\t`,
		time + `\s+aws/bedrock/modelinvocations`,
		time + ` (?P<host>` + aWord + `) ` + aWord + `:`,
	} {
		forms = append(forms, regexp.MustCompile(`^`+form+`[\s\x{feff}]*(@cee:\s*)?$`))
	}
	return forms
}()
