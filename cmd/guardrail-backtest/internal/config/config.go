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
	config := settings.Default()
	if err := part.Unmarshal(config); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if err := confmap.Validate(config); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return config, nil
}

// find returns the settings of a component in a configuration: those below processors and connectors, those under the
// component's id at the top, or the whole.
func find(whole *confmap.Conf, id string) (*confmap.Conf, error) {
	found := map[string]any{}
	inCollector := false
	for _, kind := range []string{"processors", "connectors"} {
		if !whole.IsSet(kind) {
			continue
		}
		inCollector = true
		if components, ok := whole.Get(kind).(map[string]any); ok {
			add(found, components)
		}
	}
	add(found, whole.ToStringMap())
	names := slices.Sorted(maps.Keys(found))
	switch {
	case id == "" && len(names) == 0 && !inCollector:
		return whole, nil
	case id == "" && len(names) == 1:
		id = names[0]
	case len(names) == 0:
		return nil, fmt.Errorf("no %s among its processors and connectors", componentType)
	case id == "":
		return nil, fmt.Errorf("several components; choose one with --component: %s", strings.Join(names, ", "))
	}
	part, ok := found[id]
	if !ok {
		return nil, fmt.Errorf("no component %q; there is %s", id, strings.Join(names, ", "))
	}
	members, ok := part.(map[string]any)
	if part != nil && !ok {
		return nil, fmt.Errorf("%s: holds no settings", id)
	}
	return confmap.NewFromStringMap(members), nil
}

// add adds the components of our type to found.
func add(found, components map[string]any) {
	for id, part := range components {
		if id == componentType || strings.HasPrefix(id, componentType+"/") {
			found[id] = part
		}
	}
}
