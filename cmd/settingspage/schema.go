// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"

	"go.opentelemetry.io/collector/confmap"
)

// schema is as much of the settings' schema as the reference shows.
type schema struct {
	Description string            `mapstructure:"description"`
	Type        string            `mapstructure:"type"`
	Format      string            `mapstructure:"format"`
	Ref         string            `mapstructure:"$ref"`
	Enum        []string          `mapstructure:"enum"`
	Minimum     any               `mapstructure:"minimum"`
	Maximum     any               `mapstructure:"maximum"`
	From        string            `mapstructure:"x-minimum"`
	To          string            `mapstructure:"x-maximum"`
	Allowed     string            `mapstructure:"x-allowed"`
	Default     any               `mapstructure:"default"`
	Examples    []any             `mapstructure:"examples"`
	Items       *schema           `mapstructure:"items"`
	Properties  map[string]schema `mapstructure:"properties"`
	Defs        map[string]schema `mapstructure:"$defs"`
}

// load reads the schema of the settings.
func load(path string) (*schema, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	read, err := confmap.NewRetrievedFromYAML(text)
	if err != nil {
		return nil, err
	}
	conf, err := read.AsConf()
	if err != nil {
		return nil, err
	}
	root := new(schema)
	return root, conf.Unmarshal(root, confmap.WithIgnoreUnused())
}
