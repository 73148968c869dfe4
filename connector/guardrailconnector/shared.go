// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package guardrailconnector

import (
	"context"
	"fmt"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"

	"example.com/otelcol-guardrail/connector/guardrailconnector/internal/metadata"
	"example.com/otelcol-guardrail/internal/engine"
)

// sharedEngine is the engine of all instances of one configuration. The collector creates an instance for each signal
// that a connector receives, all with the same *Config, while windows and storage must be common to them. The engine
// runs from the first Start to the last Shutdown.
type sharedEngine struct {
	*engine.Engine
	config *Config
	joined int // instances that have not been shut down; guarded by engines

	start    sync.Once
	startErr error
}

// engineMap holds the engines in use by configuration.
type engineMap struct {
	sync.Mutex
	byConfig map[*Config]*sharedEngine
}

var engines = engineMap{byConfig: map[*Config]*sharedEngine{}}

// join returns an instance with the engine of its configuration, a new one if it is the first. Alerts go to the next
// consumer of the first: those of the others lead to the same pipelines.
func (m *engineMap) join(set connector.Settings, config *Config, next consumer.Logs) (*instance, error) {
	m.Lock()
	defer m.Unlock()
	if e, ok := m.byConfig[config]; ok {
		e.joined++
		return &instance{sharedEngine: e}, nil
	}
	metrics, err := instruments(set.TelemetrySettings)
	if err != nil {
		return nil, fmt.Errorf("create metrics: %w", err)
	}
	e, err := engine.New(&engine.Component{
		ID:          set.ID,
		Kind:        component.KindConnector,
		Telemetry:   set.TelemetrySettings,
		BuildInfo:   set.BuildInfo,
		ScopeName:   metadata.ScopeName,
		Instruments: metrics,
	}, config, next)
	if err != nil {
		return nil, err
	}
	shared := &sharedEngine{Engine: e, config: config, joined: 1}
	m.byConfig[config] = shared
	return &instance{sharedEngine: shared}, nil
}

// instance is what the connectors of both signals have in common.
type instance struct {
	*sharedEngine
	left sync.Once
}

// Capabilities reports that input is never modified.
func (*instance) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

// Start starts the engine, unless another instance has.
func (i *instance) Start(ctx context.Context, host component.Host) error {
	i.start.Do(func() { i.startErr = i.Engine.Start(ctx, host) })
	return i.startErr
}

// Shutdown shuts the engine down if no other instance needs it. It may be called twice, and without Start.
func (i *instance) Shutdown(ctx context.Context) (err error) {
	i.left.Do(func() {
		if engines.leave(i.sharedEngine) {
			err = i.Engine.Shutdown(ctx)
		}
	})
	return err
}

// leave reports whether the last instance of a configuration leaves.
func (m *engineMap) leave(e *sharedEngine) (last bool) {
	m.Lock()
	defer m.Unlock()
	if e.joined--; e.joined > 0 {
		return false
	}
	delete(m.byConfig, e.config)
	return true
}
