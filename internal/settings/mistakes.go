// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package settings

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/confmap"
)

// mistake describes what is wrong with one setting.
type mistake struct {
	path string // of the setting, relative to the one being checked, such as window::size or count::2
	text string // the value, what is wrong with it, and what is allowed
}

func (m mistake) Error() string {
	if m.path == "" {
		return m.text
	}
	return m.path + ": " + m.text
}

// mistakes is everything that is wrong with a setting and the settings below it, so that all of it can be
// reported at once.
type mistakes []mistake

func (ms *mistakes) add(path, format string, args ...any) {
	*ms = append(*ms, mistake{path, fmt.Sprintf(format, args...)})
}

// and returns the mistakes with those of more whose settings have none yet.
func (ms mistakes) and(more mistakes) mistakes {
	all := slices.Clone(ms)
	for _, m := range more {
		if !slices.ContainsFunc(ms, func(earlier mistake) bool { return earlier.path == m.path }) {
			all = append(all, m)
		}
	}
	return all
}

// err returns the mistakes as one error, or nil when there are none.
func (ms mistakes) err() error {
	if len(ms) == 0 {
		return nil
	}
	return ms
}

// Error returns a single mistake without decoration, so that the caller can put the setting's path in front
// of it, and several as a list.
func (ms mistakes) Error() string {
	if len(ms) == 1 {
		return ms[0].Error()
	}
	var text strings.Builder
	for _, m := range ms {
		text.WriteString("\n  - " + m.Error())
	}
	return text.String()
}

// join returns the path of the setting called name below the one at path.
func join(path, name string) string {
	switch {
	case name == "":
		return path
	case path == "":
		return name
	default:
		return path + confmap.KeyDelimiter + name
	}
}

// entry returns the path of entry i of the list at path.
func entry(path string, i int) string { return join(path, strconv.Itoa(i)) }
