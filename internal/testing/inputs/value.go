// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package inputs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// fill writes values to a map, in the order of their keys.
func (c call) fill(to pcommon.Map, values map[string]any) error {
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if err := c.put(to.PutEmpty(c.text(key)), values[key]); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	return nil
}

// put writes a value of a case, with the functions in it applied.
func (c call) put(to pcommon.Value, value any) error {
	value, err := c.eval(value)
	if err != nil {
		return err
	}
	switch v := value.(type) {
	case nil:
	case bool:
		to.SetBool(v)
	case string:
		to.SetStr(v)
	case []byte:
		to.SetEmptyBytes().FromRaw(v)
	case float64:
		to.SetDouble(v)
	case int:
		to.SetInt(int64(v))
	case json.Number:
		if i, err := v.Int64(); err == nil {
			to.SetInt(i)
			return nil
		}
		f, err := v.Float64()
		to.SetDouble(f)
		return err
	case []any:
		slice := to.SetEmptySlice()
		for _, item := range v {
			if err := c.put(slice.AppendEmpty(), item); err != nil {
				return err
			}
		}
	case map[string]any:
		return c.fill(to.SetEmptyMap(), v)
	default:
		return fmt.Errorf("unsupported type %T", value)
	}
	return nil
}

// eval returns a value with the functions in it applied: maps whose only key
// begins with a dollar sign. testdata/inputs/README.md lists them.
func (c call) eval(value any) (any, error) {
	switch v := value.(type) {
	case string:
		return c.text(v), nil
	case []any:
		items := make([]any, len(v))
		for i, item := range v {
			var err error
			if items[i], err = c.eval(item); err != nil {
				return nil, err
			}
		}
		return items, nil
	case map[string]any:
		for name, argument := range v {
			if len(v) == 1 && strings.HasPrefix(name, "$") {
				result, err := c.apply(name, argument)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", name, err)
				}
				return result, nil
			}
		}
		members := make(map[string]any, len(v))
		for name, member := range v {
			var err error
			if members[name], err = c.eval(member); err != nil {
				return nil, err
			}
		}
		return members, nil
	default:
		return value, nil
	}
}

var errArgument = errors.New("unknown function, or an argument that it does not accept")

// apply returns the result of a function.
func (c call) apply(name string, argument any) (any, error) {
	argument, err := c.eval(argument)
	if err != nil {
		return nil, err
	}
	switch name {
	case "$json":
		return text(argument)
	case "$record", "$text":
		changes, ok := argument.(map[string]any)
		if !ok {
			return nil, errArgument
		}
		bedrock, err := c.eval(bedrockRecord(changes))
		if err != nil || name == "$record" {
			return bedrock, err
		}
		return text(bedrock)
	case "$flat":
		flat := map[string]any{}
		flatten("", argument, flat)
		return flat, nil
	case "$double":
		if number, ok := argument.(json.Number); ok {
			return number.Float64()
		}
	case "$bytes":
		if s, ok := argument.(string); ok {
			return []byte(s), nil
		}
	case "$join", "$head":
		return applyToTexts(name, argument)
	}
	return nil, errArgument
}

// applyToTexts returns the joined texts ($join), or the first bytes of a text ($head).
func applyToTexts(name string, argument any) (any, error) {
	items, ok := argument.([]any)
	if !ok {
		return nil, errArgument
	}
	var joined strings.Builder
	for _, item := range items {
		fmt.Fprint(&joined, item)
	}
	if name == "$join" {
		return joined.String(), nil
	}
	size, err := strconv.Atoi(fmt.Sprint(items[0]))
	s, isText := items[len(items)-1].(string)
	if err != nil || !isText || size > len(s) {
		return nil, errArgument
	}
	return s[:size], nil
}

// flatten adds every leaf of a value to a map under its dotted path, as exporters without
// nested attributes write it.
func flatten(prefix string, value any, into map[string]any) {
	members, ok := value.(map[string]any)
	if !ok {
		into[prefix] = value
		return
	}
	for name, member := range members {
		if prefix != "" {
			name = prefix + "." + name
		}
		flatten(name, member, into)
	}
}

// text returns a value as JSON. The members of a Bedrock record are in their usual order.
func text(value any) (string, error) {
	members, ok := value.(map[string]any)
	if !ok || members["schemaType"] == nil && members["modelId"] == nil {
		return compact(value)
	}
	names := slices.SortedFunc(maps.Keys(members), func(a, b string) int {
		return slices.Index(recordMembers, a) - slices.Index(recordMembers, b)
	})
	parts := make([]string, len(names))
	for i, name := range names {
		member, err := compact(members[name])
		if err != nil {
			return "", err
		}
		parts[i] = strconv.Quote(name) + ":" + member
	}
	return "{" + strings.Join(parts, ",") + "}", nil
}

// compact returns a value as JSON on one line.
func compact(value any) (string, error) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(value)
	return strings.TrimSuffix(buffer.String(), "\n"), err
}
