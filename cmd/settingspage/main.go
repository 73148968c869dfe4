// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

// Command settingspage writes the reference of the settings into Markdown files, between the lines that mark its place. Meaning,
// bounds, defaults and examples come from the schema of the settings, their order from the code.
//
// Usage: settingspage SCHEMA FILE...
package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// The lines between which a file has the reference.
const (
	begin = "<!-- settings: made by go generate ./internal/settings -->\n"
	end   = "<!-- settings: end -->\n"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: settingspage SCHEMA FILE...")
		os.Exit(2)
	}
	for _, path := range os.Args[2:] {
		if err := rewrite(os.Args[1], path); err != nil {
			fmt.Fprintf(os.Stderr, "settingspage: %s: %v\n", path, err)
			os.Exit(1)
		}
	}
}

// rewrite replaces the reference in a file.
func rewrite(schemaPath, path string) error {
	schema, err := load(schemaPath)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	made, err := replace(schema, string(text))
	if err != nil || made == string(text) {
		return err
	}
	return os.WriteFile(path, []byte(made), 0o644)
}

// replace returns a text with the reference between the marks.
func replace(root *schema, text string) (string, error) {
	before, rest, ok := strings.Cut(text, begin)
	_, after, ended := strings.Cut(rest, end)
	if !ok || !ended {
		return "", errors.New("no place for the reference: the lines that mark it are missing")
	}
	return before + begin + reference(root) + end + after, nil
}
