// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/confmap"

	"example.com/otelcol-guardrail/internal/invocation"
	"example.com/otelcol-guardrail/internal/settings"
)

// headings says before which settings a new section begins.
var headings = map[string]string{
	"guardrail_keys": "Reading records",
	"rules":          "Detection",
	"last_guarded":   "Time",
	"pass_through":   "Output",
	"storage":        "State",
}

// part is a group of settings with a section of its own.
type part struct {
	title, intro string
	path         string // of its settings in an example, with %s in place of them
	of           reflect.Type
	schema       schema
}

// reference returns all settings as Markdown: a table that leads to a section for each.
func reference(root *schema) string {
	defs := root.Defs
	parts := []part{
		{of: reflect.TypeFor[settings.Config](), schema: *root, path: "%s"},
		{
			title: "A rule", intro: "An entry of `rules`. The defaults are those of the built-in rule, which apply to each setting that an entry omits.",
			of: reflect.TypeFor[settings.RuleConfig](), schema: defs["rule_config"], path: "rules: [{%s}]",
		},
		{
			title: "The window of a rule", intro: "Settings of `window`.", path: "rules: [{window: {%s}}]",
			of: reflect.TypeFor[settings.WindowConfig](), schema: defs["window_config"],
		},
		{
			title: "The alerts of a rule", intro: "Settings of `alert`.", path: "rules: [{alert: {%s}}]",
			of: reflect.TypeFor[settings.AlertConfig](), schema: defs["alert_config"],
		},
		{
			title: "Match", intro: "An entry of `exempt` or `assume_guarded`. Its fields, except for `until` and `reason`, are globs for the whole value, in which `*` " +
				"stands for any run of characters except `/`. All that are given must match, and at least one must be given.",
			of: reflect.TypeFor[settings.Match](), schema: defs["match"], path: "rules: [{exempt: [{%s}]}]",
		},
	}
	var table, text strings.Builder
	table.WriteString("\n| setting | default | |\n|---|---|---|\n")
	for _, p := range parts {
		if p.title != "" {
			fmt.Fprintf(&text, "\n## %s\n\n%s\n", p.title, p.intro)
			fmt.Fprintf(&table, "| **[%s](#%s)** | | |\n", p.title, strings.ReplaceAll(strings.ToLower(p.title), " ", "-"))
		}
		for _, name := range names(p.of) {
			if heading, ok := headings[name]; ok && p.title == "" {
				fmt.Fprintf(&text, "\n## %s\n", heading)
			}
			property := p.schema.Properties[name]
			if property.Ref != "" && property.Type == "" { // a type, or a group of settings
				inner := defs[property.Ref]
				property.Type, property.Enum = inner.Type, inner.Enum
			}
			property.Default = byDefault(p.of, name, property.Default)
			fmt.Fprintf(&table, "| [`%s`](#%s) | %s | %s |\n", name, name, short(name, property.Default), beginning(property.Description))
			fmt.Fprintf(&text, "\n### `%s`\n\n%s\n\n", name, property.Description)
			describe(&text, p, name, property)
		}
	}
	return table.String() + text.String() + "\n"
}

// names returns the names of the settings of a struct, in its order but with the name of a rule first.
func names(of reflect.Type) (names []string) {
	for _, field := range reflect.VisibleFields(of) {
		switch name := field.Tag.Get(confmap.MapstructureTag); name {
		case "":
		case "id":
			names = append([]string{name}, names...)
		default:
			names = append(names, name)
		}
	}
	return names
}

// describe writes the facts about a setting as a list.
func describe(text *strings.Builder, p part, name string, property schema) {
	if property.Default != nil {
		fmt.Fprintf(text, "- Default: %s\n", property.Default)
	}
	if value := allowed(name, property); value != "" {
		fmt.Fprintf(text, "- Allowed: %s\n", value)
	}
	for _, example := range property.Examples {
		given := name + ": " + flow(example)
		if name == "until" || name == "reason" { // not enough by themselves
			given = "user: alice, " + given
		}
		fmt.Fprintf(text, "- Example: `%s`\n", fmt.Sprintf(p.path, given))
	}
	if property.Type == "object" {
		fmt.Fprintf(text, "- Settings: [below](#the-%s-of-a-rule)\n", map[string]string{"window": "window", "alert": "alerts"}[name])
	}
}

// byDefault returns the default of a setting as Markdown: that in the schema, or that of the built-in rule, which no other rule
// inherits. It returns nil if there is none.
func byDefault(of reflect.Type, name string, inSchema any) any {
	switch {
	case inSchema != nil:
		return "`" + flow(inSchema) + "`"
	case name == "rules":
		return "the built-in rule"
	case name == "storage":
		return "none"
	case of != reflect.TypeFor[settings.RuleConfig]():
		return nil
	}
	written := confmap.New()
	if err := written.Marshal(settings.Default().Rules[0]); err != nil {
		return nil
	}
	value := written.Get(name)
	if _, isMap := value.(map[string]any); isMap || value == nil {
		return nil
	}
	return "`" + flow(value) + "`, of the built-in rule"
}

// short returns a default for the table, where long ones have no room.
func short(name string, byDefault any) any {
	const most = 50
	if byDefault == nil {
		return ""
	}
	if len(byDefault.(string)) > most {
		return "[long](#" + name + ")"
	}
	return byDefault
}

// beginning returns the first clause of a text.
func beginning(text string) string {
	for _, end := range []string{". ", ": ", "; "} {
		text, _, _ = strings.Cut(text, end)
	}
	return strings.TrimSuffix(text, ".")
}

// allowed returns which values a setting takes, as Markdown.
func allowed(name string, property schema) string {
	switch {
	case name == "count":
		return kinds()
	case property.Allowed != "":
		return property.Allowed
	case property.Enum != nil:
		return "`" + strings.Join(property.Enum, "`, `") + "`"
	case property.Items != nil && property.Items.Enum != nil:
		return "any of `" + strings.Join(property.Items.Enum, "`, `") + "`"
	case property.Type == "boolean":
		return "`true`, `false`"
	case property.From != "" && property.To != "":
		return fmt.Sprintf("%s to %s", property.From, property.To)
	case property.From != "":
		return property.From + " or more"
	case property.To != "":
		return "up to " + property.To
	case property.Minimum != nil:
		return fmt.Sprintf("%v to %v", property.Minimum, property.Maximum)
	default:
		return ""
	}
}

// kinds returns the verdicts with their evidence.
func kinds() string {
	var all []string
	verdict := ""
	for _, kind := range invocation.Kinds() {
		if name := kind.Verdict.String(); name != verdict {
			verdict = name
			all = append(all, "`"+name+"`")
		}
		all = append(all, "`"+kind.String()+"`")
	}
	return strings.Join(all, ", ")
}

// flow returns a value as YAML on one line.
func flow(value any) string {
	switch v := value.(type) {
	case []any:
		parts := make([]string, len(v))
		for i, part := range v {
			parts[i] = flow(part)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case map[string]any:
		var parts []string
		for _, key := range inOrder(v) {
			parts = append(parts, key+": "+flow(v[key]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case string:
		if plain(v) {
			return v
		}
		return strconv.Quote(v)
	case time.Time:
		return v.Format(time.DateOnly)
	default:
		return fmt.Sprint(v)
	}
}
