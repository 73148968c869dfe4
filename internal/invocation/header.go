// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import (
	"regexp"
	"strings"
)

// maxHeader is how many bytes a header may have: RFC 5424 allows 255 for the host, 48
// for the program, 128 for the process, and structured data.
const maxHeader = 1024

// The parts of a header.
const (
	word = `[^\s{"]+` // must not be the beginning of JSON

	// RFC 3339 and similar forms, and seconds or milliseconds since the Unix epoch. journalctl
	// may put the day of the week in front.
	plainTime = `(?:\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d(?::\d\d)?(?:[.,]\d+)?(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?` +
		`|\d{10}(?:\d{3})?(?:\.\d+)?)`
	// The time of RFC 3164, with or without the day of the week and the year.
	syslogTime = `(?:(?:[A-Z][a-z]{2} )?[A-Z][a-z]{2} [ \d]?\d (?:\d{4} )?\d\d:\d\d:\d\d(?:\.\d+)?(?: \d{4})?)`

	// What may follow a plain time: the stream of a container runtime (CRI), the tag in
	// Fluentd's files, Bedrock's log stream as shown by aws logs tail, or host and program.
	afterPlainTime = `(?: (?:stdout|stderr) [FP]\S*|\t` + word + `\t|\s+aws/bedrock/modelinvocations| (` + word + `) ` + word + `:)?`

	// A priority, which the length of an octet-counted frame may precede.
	priority = `(?:\d+ )?<\d{1,3}>`
	// Version, time, host, program, process and kind of a message of RFC 5424, and its
	// structured data.
	syslog5424 = `1 ` + word + ` ` + word + ` ` + word + ` ` + word + ` ` + word +
		` (?:-|(?:\[[^\]"]*(?:"(?:[^"\\]|\\.)*"[^\]"]*)*\])+)`
	// Time, host and program of a message of RFC 3164. Some daemons leave out one or more.
	syslog3164 = `(?:(?:` + syslogTime + `|` + plainTime + `):?(?: ` + word + `){0,2})?`
)

// header matches what syslog daemons, container runtimes and command line tools put in
// front of a line, and the first byte of the JSON after it.
var header = regexp.MustCompile(`^(?:` +
	priority + syslog5424 + `|` +
	priority + syslog3164 + `|` +
	syslogTime + `:?(?: ` + word + `)?(?: ` + word + `:)?` + `|` +
	`(?:\[` + plainTime + `\]|(?:[A-Z][a-z]{2} )?` + plainTime + `):?` + afterPlainTime + `|` +
	`)[\s\x{feff}]*(?:@cee:\s*)?[{\[]`)

// logLevels matches a log level. In lines of applications, which may quote a record, it
// stands where a syslog daemon writes the host.
var logLevels = regexp.MustCompile(`(?i)^\[?(?:trace|debug|info|notice|warn|warning|error|err|fatal|critical|crit)\]?$`)

// afterHeader returns the JSON after a header. ok is false when text does not begin
// with a header: any other words before a record make the line a text about it.
func afterHeader(text string) (rest string, ok bool) {
	start := text[:min(len(text), maxHeader)]
	if !strings.Contains(start, "{") {
		return "", false // nearly all lines
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
