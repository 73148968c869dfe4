// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package guardrailprocessor

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"go.opentelemetry.io/collector/confmap"
)

// mistake is what is wrong with one setting.
type mistake struct {
	path string // of the setting, such as rules[1]::window::size
	text string // the value, what is wrong with it, and what is allowed
}

func (m mistake) Error() string {
	if m.path == "" {
		return m.text
	}
	return m.path + ": " + m.text
}

// mistakes is everything that is wrong in a configuration, for all of it to be reported at once.
type mistakes []mistake

func (ms *mistakes) add(path, format string, args ...any) {
	*ms = append(*ms, mistake{path, fmt.Sprintf(format, args...)})
}

// err is one error of all the mistakes, nil when there is none.
func (ms mistakes) err() error {
	errs := make([]error, len(ms))
	for i, m := range ms {
		errs[i] = m
	}
	return errors.Join(errs...)
}

// outside is ms without what may merely follow from others: mistakes in the same setting, in a part of
// it, or in what it is part of.
func (ms mistakes) outside(others mistakes) (rest mistakes) {
	for _, m := range ms {
		follows := false
		for _, other := range others {
			follows = follows || within(m.path, other.path) || within(other.path, m.path)
		}
		if !follows {
			rest = append(rest, m)
		}
	}
	return rest
}

func within(part, whole string) bool {
	tail, ok := strings.CutPrefix(part, whole)
	return ok && (tail == "" || tail[0] == '[' || strings.HasPrefix(tail, confmap.KeyDelimiter))
}

var (
	unconvertible = regexp.MustCompile(`^expected type '(.*)', got unconvertible type '(.*)'$`)
	goTypeName    = regexp.MustCompile(`^guardrailprocessor\.\w+$`)
)

// explain turns the decoder's error for conf into mistakes that name settings as a configuration does.
// It relies on the shape of the decoder's errors only for how they read: none is ever lost.
func explain(conf *confmap.Conf, err error) (found mistakes) {
	for _, m := range flatten("", err) {
		if keys, ok := strings.CutPrefix(m.text, "has invalid keys: "); ok {
			for key := range strings.SplitSeq(keys, ", ") {
				found.add(join(m.path, key), "unknown setting")
			}
			continue
		}
		if types := unconvertible.FindStringSubmatch(m.text); types != nil {
			value := conf.Get(m.path)
			switch {
			case value == nil: // in a list, where the value is out of reach
			case types[1] == "bool":
				m.text = quoted(value) + " is not true or false"
			default:
				m.text = fmt.Sprintf("%v is read as %s, not as text; write it in quotes", value, types[2])
			}
		}
		found = append(found, m)
	}
	return found
}

// flatten follows the tree of a decoder's error down to single mistakes.
func flatten(path string, err error) (found mistakes) {
	switch e := err.(type) { //nolint:errorlint // every level is visited
	case nil:
		return nil
	case mistake:
		return mistakes{{join(path, e.path), e.text}}
	case interface{ Unwrap() []error }:
		for _, part := range e.Unwrap() {
			found = append(found, flatten(path, part)...)
		}
		return found
	case interface {
		Name() string
		Unwrap() error
	}: // the decoder's, for one field
		name := e.Name()
		if goTypeName.MatchString(name) { // how the decoder calls what it was given as a whole
			name = ""
		}
		return flatten(join(path, strings.ReplaceAll(name, ".", confmap.KeyDelimiter)), e.Unwrap())
	}
	var several interface{ Unwrap() []error }
	if errors.As(err, &several) {
		return flatten(path, errors.Unwrap(err))
	}
	return mistakes{{path, err.Error()}}
}

// join puts a setting's name behind the path of what it is part of.
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
