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

	// RFC 3339 and its neighbours, and seconds or milliseconds since the Unix epoch.
	plainTime = `(?:\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d(?::\d\d)?(?:[.,]\d+)?(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?` +
		`|\d{10}(?:\d{3})?(?:\.\d+)?)`
	// The time of RFC 3164, with or without a day and a year.
	syslogTime = `(?:(?:[A-Z][a-z]{2} )?[A-Z][a-z]{2} [ \d]?\d (?:\d{4} )?\d\d:\d\d:\d\d(?:\.\d+)?(?: \d{4})?)`

	// What follows a plain time: the stream of a container runtime (CRI), the tag of
	// Fluentd's files, Bedrock's log stream as aws logs tail shows it, or host and program.
	afterPlainTime = `(?: (?:stdout|stderr) [FP]\S*|\t` + word + `\t|\s+aws/bedrock/modelinvocations| (` + word + `) ` + word + `:)?`

	// A priority, after the length of an octet-counted frame.
	priority = `(?:\d+ )?<\d{1,3}>`
	// Version, time, host, program, process and kind of a message of RFC 5424, and its
	// structured data.
	syslog5424 = `1 ` + word + ` ` + word + ` ` + word + ` ` + word + ` ` + word +
		` (?:-|(?:\[[^\]"]*(?:"(?:[^"\\]|\\.)*"[^\]"]*)*\])+)`
	// A message of RFC 3164: time, host and program, each of which some daemons leave out.
	syslog3164 = `(?:(?:` + syslogTime + `|` + plainTime + `):?(?: ` + word + `){0,2})?`
)

// header is what syslog daemons, container runtimes and command line tools put in
// front of a line, up to the JSON after it.
var header = regexp.MustCompile(`^(?:` +
	priority + syslog5424 + `|` +
	priority + syslog3164 + `|` +
	syslogTime + `:?(?: ` + word + `)?(?: ` + word + `:)?` + `|` +
	`(?:\[` + plainTime + `\]|` + plainTime + `):?` + afterPlainTime + `|` +
	`)[\s\x{feff}]*(?:@cee:\s*)?[{\[]`)

// levels are what stands where a host would in lines of applications, which may quote
// a record.
var logLevels = regexp.MustCompile(`(?i)^\[?(?:trace|debug|info|notice|warn|warning|error|err|fatal|critical|crit)\]?$`)

// afterHeader returns the JSON after a header. ok is false where there is none; any
// other words before a record make the line somebody's sentence about it.
func afterHeader(text string) (rest string, ok bool) {
	start := text[:min(len(text), maxHeader)]
	if !strings.Contains(start, "{") {
		return "", false // as in nearly all lines
	}
	found := header.FindStringSubmatchIndex(start)
	if found == nil || found[2] >= 0 && logLevels.MatchString(start[found[2]:found[3]]) {
		return "", false
	}
	if end := found[1] - 1; end > 0 {
		return text[end:], true
	}
	return "", false // the JSON itself
}
