// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"

	"github.com/open-telemetry/opentelemetry-collector-contrib/connector/countconnector"
	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/transformprocessor"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"example.com/otelcol-guardrail/processor/guardrailprocessor"
)

// The settings of the compared components. The count connector and the transform
// processor get the cheapest form that counts by the same condition and groups: one
// guardrail attribute instead of five, and the body parsed once.
const (
	guardrailSettings = `{}`

	countSettings = `
logs:
  invocations.unguarded:
    conditions: ['log.attributes["gen_ai.guardrail_id"] == nil']
    attributes: [{key: user.id}, {key: cloud.account.id}]
`
	transformSettings = `
error_mode: ignore
log_statements:
  - statements:
      - set(log.cache, ParseJSON(log.body))
      - set(log.attributes["user.id"], log.cache["identity"]["arn"])
      - set(log.attributes["cloud.account.id"], log.cache["accountId"])
      - set(log.attributes["gen_ai.guardrail_id"], log.cache["output"]["outputBodyJson"]["amazon-bedrock-guardrailAction"])
`
)

// contender is one of the compared ways to process a batch.
type contender struct {
	name    string
	consume func(plog.Logs) error
	close   func()
}

// newGuardrail returns the processor alone.
func newGuardrail() (*contender, error) {
	factory := guardrailprocessor.NewFactory()
	config, err := decode(factory.CreateDefaultConfig(), guardrailSettings)
	if err != nil {
		return nil, err
	}
	settings := processor.Settings{ID: component.NewID(factory.Type()), TelemetrySettings: newTelemetry()}
	p, err := factory.CreateLogs(context.Background(), settings, config, consumertest.NewNop())
	if err != nil {
		return nil, err
	}
	return started("gen_ai_guardrail", p, p)
}

// newCount returns the count connector alone.
func newCount() (*contender, error) {
	factory := countconnector.NewFactory()
	config, err := decode(factory.CreateDefaultConfig(), countSettings)
	if err != nil {
		return nil, err
	}
	settings := connector.Settings{ID: component.NewID(factory.Type()), TelemetrySettings: newTelemetry()}
	c, err := factory.CreateLogsToMetrics(context.Background(), settings, config, consumertest.NewNop())
	if err != nil {
		return nil, err
	}
	return started("count connector", c, c)
}

// newTransformAndCount returns a transform processor followed by a count connector.
func newTransformAndCount() (*contender, error) {
	count, err := newCount()
	if err != nil {
		return nil, err
	}
	next, err := consumer.NewLogs(func(_ context.Context, logs plog.Logs) error { return count.consume(logs) })
	if err != nil {
		return nil, err
	}
	factory := transformprocessor.NewFactory()
	config, err := decode(factory.CreateDefaultConfig(), transformSettings)
	if err != nil {
		return nil, err
	}
	settings := processor.Settings{ID: component.NewID(factory.Type()), TelemetrySettings: newTelemetry()}
	p, err := factory.CreateLogs(context.Background(), settings, config, next)
	if err != nil {
		return nil, err
	}
	return started("transform ParseJSON + count connector", p, p)
}

// started starts a component and returns it as a contender.
func started(name string, logs consumer.Logs, c component.Component) (*contender, error) {
	ctx := context.Background()
	if err := c.Start(ctx, componenttest.NewNopHost()); err != nil {
		return nil, err
	}
	return &contender{
		name:    name,
		consume: func(batch plog.Logs) error { return logs.ConsumeLogs(ctx, batch) },
		close:   func() { _ = c.Shutdown(ctx) }, // everything has been measured by then
	}, nil
}

// newTelemetry returns settings that record metrics as a collector does and discard logs.
func newTelemetry() component.TelemetrySettings {
	settings := componenttest.NewNopTelemetrySettings()
	settings.MeterProvider = sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader()))
	return settings
}

// decode returns config with settings applied to it.
func decode(config component.Config, yaml string) (component.Config, error) {
	retrieved, err := confmap.NewRetrievedFromYAML([]byte(yaml))
	if err != nil {
		return nil, err
	}
	conf, err := retrieved.AsConf()
	if err != nil {
		return nil, err
	}
	if err := conf.Unmarshal(config); err != nil {
		return nil, fmt.Errorf("decode settings: %w", err)
	}
	return config, nil
}
