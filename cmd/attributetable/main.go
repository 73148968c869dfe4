// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

// Command attributetable writes the table of attributes that are read, in log records
// and in spans, into Markdown files, between the lines that mark its place.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"

	"example.com/otelcol-guardrail/internal/invocation"
)

// The lines between which a file has the table.
const (
	begin = "<!-- attributes: made by go generate ./internal/invocation -->\n"
	end   = "<!-- attributes: end -->\n"
)

func main() {
	for _, path := range os.Args[1:] {
		if err := rewrite(path); err != nil {
			fmt.Fprintf(os.Stderr, "attributetable: %s: %v\n", path, err)
			os.Exit(1)
		}
	}
}

// rewrite replaces the table in a file.
func rewrite(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	made, err := replace(string(text))
	if err != nil || made == string(text) {
		return err
	}
	return os.WriteFile(path, []byte(made), 0o644)
}

// replace returns a text with the table between the marks.
func replace(text string) (string, error) {
	before, rest, ok := strings.Cut(text, begin)
	_, after, ended := strings.Cut(rest, end)
	if !ok || !ended {
		return "", errors.New("no place for the table: the lines that mark it are missing")
	}
	return before + begin + table() + end + after, nil
}

// table returns the table as Markdown.
func table() string {
	var out bytes.Buffer
	out.WriteString("\n| meaning | attribute | log records | spans | written by |\n|---|---|---|---|---|\n")
	meaning := ""
	for _, a := range invocation.Attributes() {
		first := a.Meaning
		if a.Meaning == meaning {
			first = ""
		}
		meaning = a.Meaning
		fmt.Fprintf(&out, "| %s | `%s` | %s | %s | %s |\n", first, a.Name, tick(a.Logs), tick(a.Spans), a.Writers)
	}
	out.WriteString("\n")
	return out.String()
}

func tick(read bool) string {
	if read {
		return "yes"
	}
	return ""
}
