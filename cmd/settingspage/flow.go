// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"maps"
	"reflect"
	"regexp"
	"slices"

	"example.com/otelcol-guardrail/internal/settings"
)

// plainText matches texts that YAML reads as texts without quotes: no numbers, no globs, nothing with a meaning.
var plainText = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_./ -]*$|^[0-9]+(ms|s|m|h)$`)

func plain(text string) bool { return plainText.MatchString(text) && text != "true" && text != "false" }

// inOrder returns the keys of a map of settings in the order of the code.
func inOrder(of map[string]any) []string {
	var order []string
	for _, group := range []reflect.Type{
		reflect.TypeFor[settings.RuleConfig](), reflect.TypeFor[settings.WindowConfig](),
		reflect.TypeFor[settings.AlertConfig](), reflect.TypeFor[settings.Match](),
	} {
		order = append(order, names(group)...)
	}
	return slices.SortedFunc(maps.Keys(of), func(a, b string) int {
		return slices.Index(order, a) - slices.Index(order, b)
	})
}
