// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

// Package config reads the settings of the processor or the connector from a file: a whole configuration of a
// collector, or only their part of it. It reads files as the collector does, environment variables included.
package config

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/envprovider"
	"go.opentelemetry.io/collector/confmap/provider/fileprovider"

	"example.com/otelcol-guardrail/internal/settings"
)

// componentType is the type of the processor and of the connector.
const componentType = "gen_ai_guardrail"

// Load returns the settings in a file. id chooses among several components; empty: there is one. The error names
// what is wrong, as at the start of a collector.
func Load(ctx context.Context, file, id string) (*settings.Config, error) {
	resolver, err := confmap.NewResolver(confmap.ResolverSettings{
		URIs:              []string{"file:" + file},
		ProviderFactories: []confmap.ProviderFactory{fileprovider.NewFactory(), envprovider.NewFactory()},
		DefaultScheme:     "env",
	})
	if err != nil {
		return nil, err
	}
	whole, err := resolver.Resolve(ctx)
	if err != nil {
		return nil, err
	}
	part, err := find(whole, id)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	config := Default()
	if part.connector {
		config = settings.ConnectorDefault()
	}
	if err := part.settings.Unmarshal(config); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if err := confmap.Validate(config); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return config, nil
}

// Default returns the settings of a processor that is configured as {}, with the defaults of each signal: log records
// are read as the processor reads them, and spans as the connector does.
func Default() *settings.Config {
	config := settings.Default()
	config.UserKeys, config.SilentScopes = nil, nil
	return config
}

// component is a component in a configuration.
type component struct {
	settings  *confmap.Conf
	connector bool
}

// find returns a component of a configuration: one below processors or connectors, one under its id at the top, or the
// whole as the settings of one.
func find(whole *confmap.Conf, id string) (component, error) {
	found := map[string]any{}
	add(found, "", whole.ToStringMap())
	add(found, "", membersOf(whole, "processors"))
	processors := len(found)
	add(found, connectors, membersOf(whole, connectors))
	names := slices.Sorted(maps.Keys(found))
	switch {
	case id == "" && len(names) == 0 && !whole.IsSet("processors") && !whole.IsSet(connectors):
		return component{settings: whole}, nil
	case id == "" && len(names) == 1:
		id = names[0]
	case len(names) == 0:
		return component{}, fmt.Errorf("no %s among its processors and connectors", componentType)
	case id == "":
		return component{}, fmt.Errorf("several components; choose one with --component: %s", strings.Join(names, ", "))
	}
	part, ok := found[id]
	if !ok && processors == 0 { // without the kind, where there is only one
		id = connectors + "/" + id
		part, ok = found[id]
	}
	if !ok {
		return component{}, fmt.Errorf("no component %q; there is %s", id, strings.Join(names, ", "))
	}
	members, ok := part.(map[string]any)
	if part != nil && !ok {
		return component{}, fmt.Errorf("%s: holds no settings", id)
	}
	return component{confmap.NewFromStringMap(members), strings.HasPrefix(id, connectors+"/")}, nil
}

const connectors = "connectors"

// membersOf returns the members of a section, none if there is no such section.
func membersOf(whole *confmap.Conf, section string) map[string]any {
	members, _ := whole.Get(section).(map[string]any)
	return members
}

// add adds the components of our type to found, connectors under the name of their section.
func add(found map[string]any, section string, components map[string]any) {
	for id, part := range components {
		if id != componentType && !strings.HasPrefix(id, componentType+"/") {
			continue
		}
		if section != "" {
			id = section + "/" + id
		}
		found[id] = part
	}
}
