// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// TestReferenceReadsJSON compares the reference's own decoder with the standard library's,
// for every text that the latter accepts.
func TestReferenceReadsJSON(t *testing.T) {
	read, refused := 0, 0
	for seed := range uint64(1500) {
		g := newGenerator(seed)
		record := g.bedrock()
		for g.chance(30) {
			record, _ = g.disturb(record).(members)
		}
		body := g.render(record)
		for g.chance(40) {
			body = g.damage(body)
		}
		got, err := parseTree(body)
		if !json.Valid([]byte(body)) {
			refused++
			continue
		}
		read++
		require.NoError(t, err, "seed %d: %q", seed, body)
		want, err := libraryTree(body)
		if err != nil { // a number that is too large for the library
			continue
		}
		require.Equal(t, want, printed(got), "seed %d: %q", seed, body)
	}
	require.Greater(t, read, 500)
	require.Greater(t, refused, 250)
}

// libraryTree returns the tokens that encoding/json finds in a text.
func libraryTree(s string) (string, error) {
	decoder := json.NewDecoder(strings.NewReader(s))
	var out bytes.Buffer
	for {
		token, err := decoder.Token()
		switch {
		case errors.Is(err, io.EOF):
			return out.String(), nil
		case err != nil:
			return "", err
		}
		fmt.Fprintf(&out, "%#v ", token)
	}
}

// printed returns the tokens of a tree in the same form.
func printed(n *node) string {
	var out bytes.Buffer
	var walk func(n *node)
	valid := func(s string) string { // the library replaces invalid UTF-8, byte by byte
		var b strings.Builder
		for len(s) > 0 {
			r, size := utf8.DecodeRuneInString(s)
			b.WriteRune(r)
			s = s[size:]
		}
		return b.String()
	}
	walk = func(n *node) {
		switch n.kind {
		case null:
			fmt.Fprintf(&out, "%#v ", nil)
		case truth:
			fmt.Fprintf(&out, "%#v ", n.yes)
		case number:
			fmt.Fprintf(&out, "%#v ", n.number)
		case text:
			fmt.Fprintf(&out, "%#v ", valid(n.text))
		case list:
			fmt.Fprintf(&out, "%#v ", json.Delim('['))
			for _, item := range n.items {
				walk(item)
			}
			fmt.Fprintf(&out, "%#v ", json.Delim(']'))
		case object:
			fmt.Fprintf(&out, "%#v ", json.Delim('{'))
			for _, f := range n.fields {
				fmt.Fprintf(&out, "%#v ", valid(f.key))
				walk(f.value)
			}
			fmt.Fprintf(&out, "%#v ", json.Delim('}'))
		}
	}
	walk(n)
	return out.String()
}
