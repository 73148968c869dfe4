// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package mappings

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.yaml.in/yaml/v3"
)

// folder holds the tables and the examples.
const folder = "../../docs/mappings"

// mapping is a table in docs/mappings. The comments in ecs.yaml explain it.
type mapping struct {
	Schema struct{ Name, Version string }
	Fields []field
	Kept   []string
}

type field struct {
	To, From, As, By string
	Value            any
	Values           map[string]any
}

func load(t *testing.T, name string) *mapping {
	t.Helper()
	file, err := os.Open(filepath.Join(folder, name))
	require.NoError(t, err)
	defer file.Close()
	decoder := yaml.NewDecoder(file)
	decoder.KnownFields(true)
	var m mapping
	require.NoError(t, decoder.Decode(&m))
	require.NotEmpty(t, m.Fields)
	return &m
}

func cutResource(from string) (name string, ok bool) { return strings.CutPrefix(from, "resource.") }

// apply returns the event that an alert record becomes. What is kept under its own name goes through keep.
func (m *mapping) apply(logs plog.Logs, keep func(event map[string]any, name string, value any)) (map[string]any, error) {
	event := map[string]any{}
	for _, f := range m.Fields {
		v, ok, err := f.of(logs)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.To, err)
		}
		if ok {
			put(event, strings.Split(f.To, "."), v)
		}
	}
	for _, name := range m.Kept {
		if v, ok := value(logs, name); ok {
			keep(event, name, v)
		}
	}
	return event, nil
}

// of returns the value of a field for an alert record, and whether it has one.
func (f *field) of(logs plog.Logs) (any, bool, error) {
	if f.From == "" {
		return f.Value, true, nil
	}
	v, ok := value(logs, f.From)
	if !ok {
		return nil, false, nil
	}
	if f.Values != nil {
		if v, ok = f.Values[fmt.Sprint(v)]; !ok {
			return nil, false, fmt.Errorf("no value for %v", v)
		}
		return v, true, nil
	}
	return convert(v, f.As)
}

func convert(v any, as string) (any, bool, error) {
	switch as {
	case "":
		return v, true, nil
	case "list":
		return []any{v}, true, nil
	case "rfc3339", "milliseconds":
		at, ok := v.(time.Time)
		if !ok {
			var err error
			if at, err = time.Parse(time.RFC3339, fmt.Sprint(v)); err != nil {
				return nil, false, err
			}
		}
		if as == "milliseconds" {
			return at.UnixMilli(), true, nil
		}
		return at.Format("2006-01-02T15:04:05.000Z07:00"), true, nil
	}
	return nil, false, fmt.Errorf("unknown conversion %q", as)
}

// put writes a value under a path into nested objects. A step with [] is a list of objects: a list that is put below it makes one
// object of each of its values, unless the rest of the path leads to free data, which takes the list as it is.
func put(object map[string]any, path []string, v any) {
	name, list := strings.CutSuffix(path[0], "[]")
	if len(path) == 1 {
		object[name] = v
		return
	}
	if !list {
		inner, ok := object[name].(map[string]any)
		if !ok {
			inner = map[string]any{}
			object[name] = inner
		}
		put(inner, path[1:], v)
		return
	}
	each, ok := v.([]any)
	if !ok || path[1] == "data" {
		each = []any{v}
	}
	items, _ := object[name].([]any)
	for i, item := range each {
		if i == len(items) {
			items = append(items, map[string]any{})
		}
		put(items[i].(map[string]any), path[1:], item)
	}
	object[name] = items
}
