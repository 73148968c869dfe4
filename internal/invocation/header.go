// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import (
	"regexp"
	"strings"
)

// maxHeader bounds how far a header may reach: RFC 5424 allows a host of 255
// bytes, a program of 48 and a process of 128, and structured data.
const maxHeader = 1024

// The parts of a header. A word of one must not be the beginning of JSON.
const (
	word = `[^\s{"]+`

	// RFC 3339 and its neighbours, the time of RFC 3164 with or without a day and a
	// year, and seconds or milliseconds since the Unix epoch.
	headerTime = `(?:\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d(?::\d\d)?(?:[.,]\d+)?(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?` +
		`|(?:[A-Z][a-z]{2} )?[A-Z][a-z]{2} [ \d]?\d (?:\d{4} )?\d\d:\d\d:\d\d(?:\.\d+)?(?: \d{4})?` +
		`|\d{10}(?:\d{3})?(?:\.\d+)?)`

	// What follows the time: the stream of a container runtime (CRI), Bedrock's log
	// stream as `aws logs tail` shows it, or the program with or without its host.
	afterTime = `(?: (?:stdout|stderr) [FP]\S*|\s+aws/bedrock/modelinvocations| (?:` + word + ` )?` + word + `:)?`

	// A priority, after the length of an octet-counted frame; then the version, time,
	// host, program, process and kind of a message of RFC 5424, and its structured data.
	priority   = `(?:\d+ )?<\d{1,3}>`
	syslog5424 = `1 ` + word + ` ` + word + ` ` + word + ` ` + word + ` ` + word +
		` (?:-|(?:\[[^\]"]*(?:"(?:[^"\\]|\\.)*"[^\]"]*)*\])+)`
)

// header is what syslog daemons, container runtimes and command line tools put in
// front of a line, up to the JSON after it.
var header = regexp.MustCompile(`^(?:` + priority + syslog5424 + `|(?:` + priority + `)?` +
	`(?:\[` + headerTime + `\]|` + headerTime + `):?` + afterTime + `)[\s\x{feff}]*(?:@cee:\s*)?[{\[]`)

// afterHeader returns the JSON after a header. ok is false where there is none;
// any other words before a record make the line somebody's sentence about it.
func afterHeader(text string) (rest string, ok bool) {
	start := text[:min(len(text), maxHeader)]
	if !strings.Contains(start, "{") {
		return "", false // as in nearly all lines
	}
	found := header.FindStringIndex(start)
	if found == nil {
		return "", false
	}
	return text[found[1]-1:], true
}
