// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package inputs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// Case holds log records, and what a processor with the given settings must do with them.
type Case struct {
	Name     string          `json:"name"`
	Why      string          `json:"why"`
	Settings json.RawMessage `json:"settings"` // of the processor; empty: the defaults
	Sent     int             `json:"sent"`     // how often the same request arrives; 0: once

	Alerts    int               `json:"alerts"`    // how many are opened
	Verdicts  map[string]int    `json:"verdicts"`  // number of invocations by "verdict/evidence"
	Excluded  map[string]int    `json:"excluded"`  // number of invocations that no rule counts, by reason
	Group     string            `json:"group"`     // of the alert; empty: any
	Annotated map[string]string `json:"annotated"` // attributes of every record that is forwarded; "": absent
	Log       string            `json:"log"`       // part of a warning; empty: any or none

	Logs   plog.Logs     `json:"-"`
	Traces ptrace.Traces `json:"-"` // of a file of spans; else empty

	File     string         `json:"file"` // holds the records or spans as OTLP JSON, instead of the fields that follow
	Times    *int           `json:"times"`
	Scope    string         `json:"scope"`
	Resource map[string]any `json:"resource"`
	Records  []record       `json:"records"`
}

// Requests returns how often the records arrive.
func (c *Case) Requests() int { return max(c.Sent, 1) }

// Load returns the cases in all YAML files of the folders. parse must decode YAML. The
// times and ids of a case differ from those of all other cases.
func Load(parse func(text []byte) (any, error), folders ...string) ([]*Case, error) {
	var all []*Case
	for _, folder := range folders {
		files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
		if err != nil {
			return nil, err
		}
		if len(files) == 0 {
			return nil, fmt.Errorf("no cases in %s", folder)
		}
		for _, file := range files {
			cases, err := loadFile(parse, file)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
			all = append(all, cases...)
		}
	}
	names := map[string]bool{}
	for i, c := range all {
		if names[c.Name] {
			return nil, fmt.Errorf("duplicate case %q", c.Name)
		}
		names[c.Name] = true
		if c.File != "" {
			continue
		}
		b := builder{number: i + 1, start: epoch.Add(time.Duration(i) * time.Hour)}
		logs, err := b.logs(c)
		if err != nil {
			return nil, fmt.Errorf("case %q: %w", c.Name, err)
		}
		c.Logs = logs
	}
	return all, nil
}

// epoch is the time of the first case. Each case is an hour after the one before, so that
// no alert continues into the next case.
var epoch = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)

// loadFile returns the cases in a file. Only those with a file of records have their logs.
func loadFile(parse func([]byte) (any, error), file string) ([]*Case, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	tree, err := parse(text)
	if err != nil {
		return nil, err
	}
	text, err = json.Marshal(tree)
	if err != nil {
		return nil, err
	}
	var content struct {
		Cases []*Case `json:"cases"`
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	decoder.DisallowUnknownFields()
	if err = decoder.Decode(&content); err != nil {
		return nil, err
	}
	for _, c := range content.Cases {
		if c.Name == "" || c.Verdicts == nil || (c.File == "") == (c.Records == nil) {
			return nil, fmt.Errorf("case %q needs a name, verdicts, and either a file or records", c.Name)
		}
		if c.Excluded == nil {
			c.Excluded = map[string]int{}
		}
		if c.File == "" {
			continue
		}
		if text, err = os.ReadFile(filepath.Join(filepath.Dir(file), c.File)); err != nil {
			return nil, err
		}
		if c.Logs, err = (&plog.JSONUnmarshaler{}).UnmarshalLogs(text); err != nil {
			return nil, fmt.Errorf("%s: %w", c.File, err)
		}
		if c.Traces, err = (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(text); err != nil {
			return nil, fmt.Errorf("%s: %w", c.File, err)
		}
	}
	if len(content.Cases) == 0 {
		return nil, errors.New("no cases")
	}
	return content.Cases, nil
}
