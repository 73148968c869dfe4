// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package settings

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/go-viper/mapstructure/v2"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"

	"example.com/otelcol-guardrail/internal/alert"
)

// Unmarshal reads the settings. It returns all mistakes of form together: unknown settings and values of the
// wrong type. [Config.Validate] checks whether the values make sense.
func (c *Config) Unmarshal(conf *confmap.Conf) error {
	found := misshapen(conf, c)
	found = append(found, takeBadID(conf, "storage")...)
	found = append(found, takeBadNumbers(conf, []string{"retention", "max_age"}, []string{"max_state_mib"})...)
	dropNulls(conf)
	return found.and(readForm(conf, c)).err()
}

// Unmarshal reads a rule, on top of the defaults for its id and severity. It returns all mistakes of form
// together.
func (c *RuleConfig) Unmarshal(conf *confmap.Conf) error {
	found := misshapen(conf, c)
	found = append(found, takeBadNumbers(conf,
		[]string{"after_intervention", "window::size", "alert::keep_alive", "alert::max_duration"},
		[]string{"threshold", "risk_score", "alert::limit"})...)
	dropNulls(conf)

	known := struct {
		ID       string         `mapstructure:"id"`
		Severity alert.Severity `mapstructure:"severity"`
	}{ID: alert.BuiltInID}
	// A mistake here is found again and reported when the whole rule is read.
	_ = conf.Unmarshal(&known, confmap.WithIgnoreUnused())

	*c = ruleDefaults(known.ID, known.Severity)
	return found.and(readForm(conf, c)).err()
}

// readForm reads conf into target and returns what cannot be read. It ignores unknown settings, which
// misshapen returns.
func readForm(conf *confmap.Conf, target any) mistakes {
	return formMistakes("", conf.Unmarshal(target, confmap.WithIgnoreUnused()))
}

// misshapen returns the settings that target, a pointer to a struct, does not have, and those whose value is not a
// list or a map where target wants one. The decoder also refuses the latter, but says neither the value nor what is
// allowed.
func misshapen(conf *confmap.Conf, target any) (found mistakes) {
	found.checkSettings("", conf.ToStringMap(), reflect.TypeOf(target).Elem())
	return found
}

// checkSettings refuses the unknown among the given settings of a struct, and values of another shape.
func (ms *mistakes) checkSettings(path string, given map[string]any, of reflect.Type) {
	types := map[string]reflect.Type{}
	for _, field := range reflect.VisibleFields(of) {
		types[field.Tag.Get(confmap.MapstructureTag)] = field.Type
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if fieldType, ok := types[name]; ok && name != "" {
			ms.checkShape(join(path, name), given[name], fieldType)
		} else {
			ms.add(join(path, name), "unknown setting; allowed: %s", settingNames(of))
		}
	}
}

// checkShape refuses a value that is not a list or a map where its type wants one. It leaves everything else to the
// decoder, which also reads a text as a list of texts.
func (ms *mistakes) checkShape(path string, value any, of reflect.Type) {
	switch {
	case value == nil:
	case of.Kind() == reflect.Struct:
		if settings, ok := value.(map[string]any); ok {
			ms.checkSettings(path, settings, of)
		} else {
			ms.add(path, "%s has no settings of its own; allowed: %s", quoted(value), settingNames(of))
		}
	case of.Kind() == reflect.Slice:
		ms.checkListShape(path, value, of.Elem())
	}
}

// checkListShape refuses a value that is not a list, and the entries that are not maps where their type wants one.
// Those that are maps are checked when each is read.
func (ms *mistakes) checkListShape(path string, value any, of reflect.Type) {
	list, isList := value.([]any)
	_, isText := value.(string)
	if !isList && (!isText || of.Kind() == reflect.Struct) {
		ms.add(path, "%s is not a list; allowed: a list, in brackets or with a dash before each entry", quoted(value))
	}
	for i, element := range list {
		if _, isMap := element.(map[string]any); !isMap && of.Kind() == reflect.Struct {
			ms.checkShape(entry(path, i), element, of)
		}
	}
}

// settingNames returns the names of the settings of a struct.
func settingNames(of reflect.Type) string {
	var names []string
	for _, field := range reflect.VisibleFields(of) {
		if name := field.Tag.Get(confmap.MapstructureTag); name != "" {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// formMistakes flattens the tree of the decoder's errors into single mistakes.
func formMistakes(path string, err error) (found mistakes) {
	switch e := err.(type) { //nolint:errorlint // every level is visited
	case nil:
		return nil
	case mistakes:
		for _, m := range e {
			found = append(found, mistake{join(path, m.path), m.text})
		}
		return found
	case *mapstructure.DecodeError:
		return formMistakes(join(path, settingOf(e.Name())), e.Unwrap())
	case *mapstructure.UnconvertibleTypeError:
		return mistakes{{path, wrongType(e)}}
	case interface{ Unwrap() []error }:
		for _, part := range e.Unwrap() {
			found = append(found, formMistakes(path, part)...)
		}
		return found
	case interface{ Unwrap() error }:
		if inner := formMistakes(path, e.Unwrap()); len(inner) > 0 {
			return inner
		}
	}
	return mistakes{{path, err.Error()}}
}

// settingOf returns the path of a setting from the decoder's name for it, such as rules[0].window.size. The
// decoder names the value at the top by its Go type, for which the path is empty.
func settingOf(name string) string {
	if pkg, _, _ := strings.Cut(reflect.TypeFor[Config]().String(), "."); strings.HasPrefix(name, pkg+".") {
		return ""
	}
	return strings.NewReplacer(".", confmap.KeyDelimiter, "[", confmap.KeyDelimiter, "]", "").Replace(name)
}

// wrongType returns the text of a mistake in the type of a value.
func wrongType(e *mapstructure.UnconvertibleTypeError) string {
	switch e.Expected.Kind() {
	case reflect.Bool:
		return quoted(e.Value) + " is not a boolean; allowed: true or false, without quotes"
	case reflect.String:
		return notText(e.Value)
	default:
		return e.Error()
	}
}

// notText returns the text of a mistake in a value that should be text.
func notText(value any) string {
	switch value.(type) {
	case []any, map[string]any:
		return quoted(value) + " is not a text; allowed: a single text"
	case bool:
		return quoted(value) + " is read as true or false, not as text; write it in quotes"
	case time.Time:
		return quoted(value) + " is read as a date, not as text; write it in quotes"
	default:
		return quoted(value) + " is read as a number, not as text; write it in quotes, digit by digit"
	}
}

// dropNulls removes explicit nulls, so that they leave the default: the decoder would set the zero value.
func dropNulls(conf *confmap.Conf) {
	for _, key := range conf.AllKeys() {
		if conf.Get(key) == nil {
			conf.Delete(key)
		}
	}
}

// takeBadID removes the value of key from conf if it is not a component id, and returns the mistake.
func takeBadID(conf *confmap.Conf, key string) (found mistakes) {
	value := conf.Get(key)
	if value == nil {
		return nil
	}
	text, ok := value.(string)
	if !ok || new(component.ID).UnmarshalText([]byte(text)) != nil {
		conf.Delete(key)
		found.add(key, "%s is not the id of an extension; allowed: one such as file_storage or file_storage/state", quoted(value))
	}
	return found
}

// takeBadNumbers removes from conf the durations and whole numbers that the decoder would silently misread
// (60 as 60 nanoseconds, 5.7 as 5) or refuse without naming the value. It returns these mistakes.
func takeBadNumbers(conf *confmap.Conf, durations, integers []string) (found mistakes) {
	for _, key := range durations {
		if value := conf.Get(key); value != nil && !isDuration(value) {
			conf.Delete(key)
			found.add(key, "%s is not a duration; allowed: a number with its unit, such as 90s, 10m or 1h30m", quoted(value))
		}
	}
	for _, key := range integers {
		if value := conf.Get(key); value != nil && !isInteger(value) {
			conf.Delete(key)
			found.add(key, "%s is not a whole number; allowed: digits without quotes", quoted(value))
		}
	}
	return found
}

func isDuration(value any) bool {
	switch v := value.(type) {
	case time.Duration:
		return true
	case string:
		_, err := time.ParseDuration(v)
		return err == nil
	default:
		return value == 0 // zero needs no unit
	}
}

func isInteger(value any) bool {
	v := reflect.ValueOf(value)
	switch {
	case v.CanInt():
		return true
	case v.CanUint():
		return v.Uint() <= math.MaxInt64
	case v.CanFloat():
		return v.Float() == math.Trunc(v.Float()) && math.Abs(v.Float()) < 1<<53
	default:
		return false
	}
}

// quoted returns a value as it may be written in YAML: text in quotes, a list or a map as JSON, anything else without.
func quoted(value any) string {
	switch v := value.(type) {
	case string:
		return fmt.Sprintf("%q", v)
	case time.Time:
		return v.Format(time.RFC3339)
	case []any, map[string]any:
		if text, err := json.Marshal(v); err == nil {
			return string(text)
		}
	}
	return fmt.Sprint(value)
}
