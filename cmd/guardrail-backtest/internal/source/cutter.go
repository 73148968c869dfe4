// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"bytes"
	"errors"
	"io"
)

const (
	// MaxText is the longest text that is read, in bytes, as in config/quickstart.yaml; longer ones are skipped and
	// counted.
	MaxText = 16 << 20
	// maxLine is how far the end of a line is looked for before a text is cut by its brackets.
	maxLine = 1 << 20
	// maxNested is how many arrays are entered, one in the other.
	maxNested = 4
)

// Cutter cuts a stream into texts. Usually each line is one. JSON values that span several lines, or that follow each
// other on one line, are cut by their brackets, and of arrays each element is a text. A line that breaks off is a text
// of its own and spoils no other.
type Cutter struct {
	TooLong int // texts that were skipped because they are longer than [MaxText]

	in       io.Reader
	buf      []byte // buf[pos:end] is read and not cut yet
	pos, end int
	eof      bool
	err      error
	nested   []nesting // arrays that were entered
	wrapped  []byte    // memory of an element that is wrapped again
}

// nesting is an array whose elements are cut one by one.
type nesting struct {
	inObject bool   // the array is the first member of an object
	prefix   string // what makes a document of an element, with suffix
	suffix   string
}

// NewCutter returns a Cutter of a stream.
func NewCutter(in io.Reader) *Cutter { return &Cutter{in: in, buf: make([]byte, 2*readSize)} }

// Reset begins with another stream, and keeps the memory.
func (c *Cutter) Reset(in io.Reader) {
	*c = Cutter{in: in, buf: c.buf, nested: c.nested[:0], wrapped: c.wrapped}
}

// Next returns the next text, which is valid until the next call. ok is false at the end and after an error, which
// [Cutter.Err] returns.
func (c *Cutter) Next() (text []byte, ok bool) {
	for {
		first, ok := c.skipSpace()
		if !ok {
			return nil, false
		}
		if n := len(c.nested); n > 0 {
			switch first {
			case ',':
				c.pos++
				continue
			case ']':
				c.pos++
				c.leave()
				continue
			}
			if c.enter(first) {
				continue
			}
			if text, ok = c.value(first); ok {
				return c.wrap(text), true
			}
			continue
		}
		if text, ok = c.line(first); ok {
			return text, true
		}
	}
}

// Err returns the error that ended the stream; nil at its regular end.
func (c *Cutter) Err() error { return c.err }

// line cuts a line, or the value that begins there. ok is false if it has entered an array, or skipped a text.
func (c *Cutter) line(first byte) (text []byte, ok bool) {
	length := c.lineLength()
	switch {
	case length >= 0 && !c.spansLines(first, length):
		line := c.buf[c.pos : c.pos+length]
		c.pos += length + 1
		return trimRight(line), true
	case first != '{' && (first != '[' || !c.opensArray()): // the latter is a time in brackets
		return c.takeLine()
	case c.enter(first):
		return nil, false
	default:
		return c.value(first)
	}
}

// spansLines reports whether a value that begins a line of a length goes on in the next one.
func (c *Cutter) spansLines(first byte, length int) bool {
	line := trimRight(c.buf[c.pos : c.pos+length])
	if first != '{' && first != '[' || len(line) > 1 && line[len(line)-1] == first+2 { // the bracket that closes it
		return false
	}
	if first == '[' && len(line) == 1 {
		return true
	}
	// Values are indented or begin with a name. Anything else is another line after one that was cut off.
	for i := length + 1; ; i++ {
		next, ok := c.peek(i)
		switch next {
		case '\n', '\r':
			continue
		case ' ', '\t', '"', '}', ']':
			return ok
		default:
			return false
		}
	}
}

// takeLine takes what is left of the line, however long.
func (c *Cutter) takeLine() (text []byte, ok bool) {
	for length := 0; ; {
		rest := c.buf[c.pos:c.end]
		if i := bytes.IndexByte(rest[length:], '\n'); i >= 0 {
			c.pos += length + i + 1
			return c.accept(trimRight(rest[:length+i]))
		}
		if length = len(rest); length > MaxText {
			c.TooLong++
			c.skipLine()
			return nil, false
		}
		if !c.fill() {
			c.pos = c.end
			return trimRight(rest), length > 0
		}
	}
}

// accept counts a text that is too long instead of returning it.
func (c *Cutter) accept(text []byte) ([]byte, bool) {
	if len(text) > MaxText {
		c.TooLong++
		return nil, false
	}
	return text, true
}

func (c *Cutter) skipLine() {
	for {
		if i := bytes.IndexByte(c.buf[c.pos:c.end], '\n'); i >= 0 {
			c.pos += i + 1
			return
		}
		c.pos = c.end
		if !c.fill() {
			return
		}
	}
}

// value cuts a JSON value by its brackets, or by the comma or bracket after it. A value whose end is missing is cut as
// a line. ok is false for one that is too long.
func (c *Cutter) value(first byte) (text []byte, ok bool) {
	var s scan
	for at := 0; ; {
		at += next(&s, c.buf[c.pos+at:c.end])
		if s.done {
			at = max(at, 1) // a bracket that closes nothing is skipped
			text = c.buf[c.pos : c.pos+at]
			c.pos += at
			return c.accept(trimRight(text))
		}
		if at > MaxText {
			c.TooLong++
			c.pos += at
			c.skipValue(&s)
			return nil, false
		}
		if !c.fill() {
			if len(c.nested) > 0 || (first != '{' && first != '[') {
				text = c.buf[c.pos:c.end]
				c.pos = c.end
				return trimRight(text), len(text) > 0
			}
			return c.takeLine()
		}
	}
}

// skipValue skips the rest of a value.
func (c *Cutter) skipValue(s *scan) {
	for {
		c.pos += next(s, c.buf[c.pos:c.end])
		if s.done || !c.fill() {
			return
		}
	}
}

// opensArray reports whether a bracket begins a JSON array.
func (c *Cutter) opensArray() bool {
	for i := 1; ; i++ {
		switch next, _ := c.peek(i); next {
		case ' ', '\t', '\r', '\n':
		case '{', '[', '"', ']':
			return true
		default:
			return false
		}
	}
}

// enter enters an array, so that its elements are cut one by one: one that stands alone, or one that is the first
// member of an object with a name of those that files consist of.
func (c *Cutter) enter(first byte) bool {
	if len(c.nested) == maxNested {
		return false
	}
	switch first {
	case '[':
		c.pos++
		c.nested = append(c.nested, nesting{})
		return true
	case '{':
		_, _ = c.peek(longestName)
		for _, w := range wrappers {
			if size := w.match(c.buf[c.pos:c.end]); size > 0 {
				c.pos += size
				c.nested = append(c.nested, w.nesting)
				return true
			}
		}
	}
	return false
}

// leave skips the rest of the object that the array belongs to.
func (c *Cutter) leave() {
	last := c.nested[len(c.nested)-1]
	c.nested = c.nested[:len(c.nested)-1]
	if last.inObject {
		c.skipValue(&scan{depth: 1})
	}
}

// wrap returns an element as a document of its own.
func (c *Cutter) wrap(text []byte) []byte {
	n := c.nested[len(c.nested)-1]
	if n.prefix == "" {
		return text
	}
	c.wrapped = append(append(append(c.wrapped[:0], n.prefix...), text...), n.suffix...)
	return c.wrapped
}

// wrapper is an object whose first member is an array of what a file consists of.
type wrapper struct {
	name string
	nesting
}

var wrappers = []wrapper{
	{`"events"`, nesting{inObject: true}}, // aws logs filter-log-events
	{`"logEvents"`, nesting{inObject: true}},
	{`"records"`, nesting{inObject: true}},
	{`"Records"`, nesting{inObject: true}},
	{`"resourceLogs"`, nesting{inObject: true, prefix: `{"resourceLogs":[`, suffix: `]}`}},
	{`"resourceSpans"`, nesting{inObject: true, prefix: `{"resourceSpans":[`, suffix: `]}`}},
}

// longestName is more than the beginning of an object takes up to the bracket of the array, unless somebody has put much
// white space into it.
const longestName = 64

// match returns the length of the beginning of an object up to and with the bracket of the array, 0 for another object.
func (w *wrapper) match(text []byte) int {
	rest := text
	for _, token := range []string{"{", w.name, ":", "["} {
		rest = bytes.TrimLeft(rest, " \t\r\n")
		if !bytes.HasPrefix(rest, []byte(token)) {
			return 0
		}
		rest = rest[len(token):]
	}
	return len(text) - len(rest)
}

// skipSpace skips white space and byte order marks, and returns the first byte after them.
func (c *Cutter) skipSpace() (first byte, ok bool) {
	for {
		for ; c.pos < c.end; c.pos++ {
			switch b := c.buf[c.pos]; b {
			case ' ', '\t', '\r', '\n', 0xef, 0xbb, 0xbf:
			default:
				return b, true
			}
		}
		if !c.fill() {
			return 0, false
		}
	}
}

// lineLength returns the length of the line; negative if it is longer than maxLine, or the last one and has no end.
func (c *Cutter) lineLength() int {
	for searched := 0; ; {
		rest := c.buf[c.pos:c.end]
		if i := bytes.IndexByte(rest[searched:], '\n'); i >= 0 {
			return searched + i
		}
		if searched = len(rest); searched > maxLine || !c.fill() {
			return -1
		}
	}
}

// peek returns the byte at a distance from the next one to be cut; ok is false beyond the end.
func (c *Cutter) peek(distance int) (b byte, ok bool) {
	for c.pos+distance >= c.end {
		if !c.fill() {
			return 0, false
		}
	}
	return c.buf[c.pos+distance], true
}

// fill reads more, and makes room for it. It may move what lies in the buffer, so that c.pos changes. It returns false
// at the end of the stream.
func (c *Cutter) fill() bool {
	if c.eof {
		return false
	}
	if c.pos > 0 && c.pos == c.end {
		c.pos, c.end = 0, 0
	}
	if c.end == len(c.buf) {
		if c.pos >= len(c.buf)/2 {
			c.end = copy(c.buf, c.buf[c.pos:c.end])
			c.pos = 0
		} else {
			larger := make([]byte, 2*len(c.buf))
			c.end = copy(larger, c.buf[c.pos:c.end])
			c.pos, c.buf = 0, larger
		}
	}
	for range 100 {
		n, err := c.in.Read(c.buf[c.end:])
		c.end += n
		if err != nil {
			c.eof = true
			if !errors.Is(err, io.EOF) {
				c.err = err
			}
			return n > 0
		}
		if n > 0 {
			return true
		}
	}
	c.eof, c.err = true, io.ErrNoProgress
	return false
}

func trimRight(text []byte) []byte { return bytes.TrimRight(text, " \t\r\n") }
