// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

// Command attributetable writes the table of attributes that are read, in log records
// and in spans, and the default list of instrumentations whose spans never report a
// guardrail, into Markdown files, between the lines that mark their places.
package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"

	"example.com/otelcol-guardrail/internal/invocation"
)

// sections are what the files contain, each between lines that name it.
var sections = []struct {
	name string
	make func() string
}{
	{"silent scopes of spans", silentScopes},
	{"attributes", table},
}

func begin(name string) string {
	return "<!-- " + name + ": made by go generate ./internal/invocation -->\n"
}
func end(name string) string { return "<!-- " + name + ": end -->\n" }

func main() {
	for _, path := range os.Args[1:] {
		if err := rewrite(path); err != nil {
			fmt.Fprintf(os.Stderr, "attributetable: %s: %v\n", path, err)
			os.Exit(1)
		}
	}
}

// rewrite replaces the sections in a file.
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

// replace returns a text with the sections between their marks.
func replace(text string) (string, error) {
	for _, section := range sections {
		before, rest, ok := strings.Cut(text, begin(section.name))
		_, after, ended := strings.Cut(rest, end(section.name))
		if !ok || !ended {
			return "", fmt.Errorf("no place for the %s: the lines that mark it are missing", section.name)
		}
		text = before + begin(section.name) + section.make() + end(section.name) + after
	}
	return text, nil
}

// silentScopes returns the default of the setting for spans as a block of YAML.
func silentScopes() string {
	var out bytes.Buffer
	out.WriteString("\n```yaml\nsilent_scopes:\n")
	for _, scope := range invocation.SpanSilentScopes() {
		fmt.Fprintf(&out, "  - %q\n", scope)
	}
	out.WriteString("```\n\n")
	return out.String()
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
