// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func cutAll(t require.TestingT, in io.Reader) (texts []string) {
	c := NewCutter(in)
	for text, ok := c.Next(); ok; text, ok = c.Next() {
		texts = append(texts, string(text))
	}
	require.NoError(t, c.Err())
	return texts
}

func TestEveryRecordOfAFileIsCutOut(t *testing.T) {
	for name, c := range map[string]struct {
		file string
		want []string
	}{
		"lines":                         {"{\"a\":1}\n{\"b\":2}\n", []string{`{"a":1}`, `{"b":2}`}},
		"no newline at the end":         {"{\"a\":1}\n{\"b\":2}", []string{`{"a":1}`, `{"b":2}`}},
		"carriage returns":              {"{\"a\":1}\r\n\r\n{\"b\":2}\r\n", []string{`{"a":1}`, `{"b":2}`}},
		"byte order mark":               {"\ufeff{\"a\":1}\n", []string{`{"a":1}`}},
		"on one line":                   {`{"a":1}{"b":"}{"} {"c":3}`, []string{`{"a":1}`, `{"b":"}{"}`, `{"c":3}`}},
		"indented":                      {"{\n  \"a\": 1\n}\n{\n  \"b\": 2\n}\n", []string{"{\n  \"a\": 1\n}", "{\n  \"b\": 2\n}"}},
		"indented by nothing":           {"{\n\"a\": 1\n}\n", []string{"{\n\"a\": 1\n}"}},
		"array":                         {"[\n  {\"a\": 1},\n  {\"b\": [2]}\n]\n", []string{`{"a": 1}`, `{"b": [2]}`}},
		"array of lines":                {"[\n{\"a\": 1},\n{\"b\": 2}\n]\n", []string{`{"a": 1}`, `{"b": 2}`}},
		"array on the last line":        {`[{"a":1},{"b":2}]`, []string{`{"a":1}`, `{"b":2}`}},
		"array on a line":               {"[{\"a\":1},{\"b\":2}]\n", []string{`[{"a":1},{"b":2}]`}},
		"array of texts":                {"[\n\"x\",\n\"y, ]\"\n]", []string{`"x"`, `"y, ]"`}},
		"array of arrays":               {"[\n[{\"a\":1}],\n[{\"b\":2}]\n]", []string{`{"a":1}`, `{"b":2}`}},
		"array that breaks off":         {"[\n{\"a\":1},\n{\"b\":", []string{`{"a":1}`, `{"b":`}},
		"events of the command line":    {"{\n  \"events\": [\n    {\"message\": \"x\"},\n    {\"message\": \"y\"}\n  ],\n  \"searchedLogStreams\": [{}]\n}\n{\"a\":1}\n", []string{`{"message": "x"}`, `{"message": "y"}`, `{"a":1}`}},
		"OTLP on lines":                 {"{\"resourceLogs\":[{\"a\":1},{}]}\n{\"resourceLogs\":[]}\n", []string{`{"resourceLogs":[{"a":1},{}]}`, `{"resourceLogs":[]}`}},
		"OTLP indented":                 {"{\n \"resourceLogs\": [\n  {\"a\":1},\n  {\"b\":2}\n ]\n}", []string{`{"resourceLogs":[{"a":1}]}`, `{"resourceLogs":[{"b":2}]}`}},
		"a line that breaks off":        {"{\"a\":1}\n{\"b\":{\"c\":\n{\"d\":1}\n", []string{`{"a":1}`, `{"b":{"c":`, `{"d":1}`}},
		"the last line breaks off":      {"{\"a\":1}\n{\"b\":{\"c\":", []string{`{"a":1}`, `{"b":{"c":`}},
		"breaks off before other lines": {"{\"b\":{\"c\":\n2026-03-14T09:00:00Z {\"d\":1}\n", []string{`{"b":{"c":`, `2026-03-14T09:00:00Z {"d":1}`}},
		"headers":                       {"2026-03-14T09:00:00.000Z {\"a\":1}\n[2026-03-14T09:00:00Z] {\"b\":2}\nhello\n", []string{`2026-03-14T09:00:00.000Z {"a":1}`, `[2026-03-14T09:00:00Z] {"b":2}`, "hello"}},
		"a header on the last line":     {"[2026-03-14T09:00:00Z] {\"b\":2}", []string{`[2026-03-14T09:00:00Z] {"b":2}`}},
		"only white space":              {" \n\n\t\n", nil},
		"empty":                         {"", nil},
		"a bracket alone":               {"{", []string{"{"}},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, c.want, cutAll(t, strings.NewReader(c.file)))
			assert.Equal(t, c.want, cutAll(t, iotest.OneByteReader(strings.NewReader(c.file))), "however it is read")
		})
	}
}

// What a file consists of does not depend on its size: arrays and lines of many megabytes are cut like small ones.
func TestLargeFilesAreCutLikeSmallOnes(t *testing.T) {
	record := `{"text":"` + strings.Repeat("x", 3000) + `"}`
	const n = 2000
	for name, file := range map[string]io.Reader{
		"lines":       strings.NewReader(strings.Repeat(record+"\n", n)),
		"no newlines": strings.NewReader(strings.Repeat(record, n)),
		"array":       strings.NewReader("[" + strings.Repeat(record+",", n-1) + record + "]"),
		"events":      strings.NewReader(`{"events":[` + strings.Repeat(record+",", n-1) + record + `],"more":1}`),
	} {
		t.Run(name, func(t *testing.T) {
			texts := cutAll(t, file)
			require.Len(t, texts, n)
			for _, text := range texts {
				require.Equal(t, record, text)
			}
		})
	}
}

func TestALongLineIsOneText(t *testing.T) {
	line := `2026-03-14T09:00:00Z {"text":"` + strings.Repeat("x", 3*maxLine) + `"}`
	assert.Equal(t, []string{line, "next"}, cutAll(t, strings.NewReader(line+"\nnext\n")))
}

func TestATextThatIsTooLongIsSkippedAndCounted(t *testing.T) {
	long := strings.Repeat("x", MaxText+readSize)
	for _, file := range []string{long + "\n{\"a\":1}\n", `{"b":"` + long + `"}{"a":1}`} {
		c := NewCutter(strings.NewReader(file))
		text, ok := c.Next()
		require.True(t, ok)
		assert.Equal(t, `{"a":1}`, string(text))
		assert.Equal(t, 1, c.TooLong)
	}
}

func TestAFaultOfTheFileIsReported(t *testing.T) {
	c := NewCutter(io.MultiReader(strings.NewReader("{\"a\":1}\n"), iotest.ErrReader(io.ErrUnexpectedEOF)))
	_, ok := c.Next()
	assert.True(t, ok)
	_, ok = c.Next()
	assert.False(t, ok)
	assert.ErrorIs(t, c.Err(), io.ErrUnexpectedEOF)
}

// Records are found whatever separates them, and whatever their texts contain.
func TestNoRecordIsLostBetweenOthers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.SliceOfN(rapid.StringMatching(`[a-z{}\[\],: ]{0,20}`), 1, 8).Draw(t, "texts")
		separator := rapid.SampledFrom([]string{"\n", "", " ", "\r\n", "\n\n"}).Draw(t, "separator")
		var want []string
		for i, text := range texts {
			want = append(want, fmt.Sprintf(`{"%d":%q}`, i, text))
		}
		file := strings.Join(want, separator)
		size := rapid.IntRange(1, 7).Draw(t, "size")
		assert.Equal(t, want, cutAll(t, &sizedReader{strings.NewReader(file), size}))
		if separator != "" {
			return
		}
		array := "[" + strings.Join(want, ",") + "]"
		assert.Equal(t, want, cutAll(t, &sizedReader{strings.NewReader(array), size}))
		assert.Equal(t, want, Pieces(array))
		if len(want) > 1 {
			assert.Equal(t, want, Pieces(file))
		}
	})
}

type sizedReader struct {
	io.Reader
	size int
}

func (r *sizedReader) Read(p []byte) (int, error) { return r.Reader.Read(p[:min(len(p), r.size)]) }

func TestPiecesOfATextWithSeveralRecords(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"array":             {`[{"a":1}, {"b":2}]`, []string{`{"a":1}`, `{"b":2}`}},
		"array in text":     {`"[{\"a\":1},{\"b\":2}]"`, []string{`[{"a":1},{"b":2}]`}},
		"sequence":          {`{"a":1} {"b":2}`, []string{`{"a":1}`, `{"b":2}`}},
		"cut off":           {`{"a":1} {"b":`, []string{`{"a":1}`, `{"b":`}},
		"array cut off":     {`[{"a":1},{"b":`, []string{`{"a":1}`, `{"b":`}},
		"lines with header": {"09:00 {\"a\":1}\n09:01 {\"b\":2}", []string{`{"a":1}`, `{"b":2}`}},
		"subscription":      {`{"messageType":"DATA_MESSAGE","logEvents":[{"message":"x"},{"message":"y"}]}`, []string{`{"message":"x"}`, `{"message":"y"}`}},
		"in a member":       {`{"log":"{\"a\":1}{\"b\":2}"}`, []string{`{"a":1}{"b":2}`}},
		"deeper":            {`{"detail":{"records":[{"a":1},{"b":2}]}}`, []string{`{"a":1}`, `{"b":2}`}},
		"a single record":   {`{"a":[1]}`, nil},
		"no JSON":           {`hello`, nil},
		"empty":             {``, nil},
		"broken":            {`{"a`, nil},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, c.want, Pieces(c.text)) })
	}
}

func FuzzCutter(f *testing.F) {
	f.Add([]byte("[}"))
	f.Add([]byte("[{\"events\":[1,{}],\"x\":2}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		total := 0
		c := NewCutter(strings.NewReader(string(data)))
		for text, ok := c.Next(); ok; text, ok = c.Next() {
			total += len(text)
			Pieces(string(text))
		}
		assert.LessOrEqual(t, total, 40*len(data)+40)
	})
}
