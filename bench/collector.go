// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/open-telemetry/opentelemetry-collector-contrib/connector/countconnector"
	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/transformprocessor"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/envprovider"
	"go.opentelemetry.io/collector/confmap/provider/yamlprovider"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/nopexporter"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/memorylimiterprocessor"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/collector/service/telemetry/otelconftelemetry"

	"example.com/otelcol-guardrail/processor/guardrailprocessor"
)

// runCollector runs a collector with all compared components. All variants run on
// it, so that they differ in their settings alone.
func runCollector(args []string) error {
	command := otelcol.NewCommand(otelcol.CollectorSettings{
		BuildInfo: component.BuildInfo{Command: "bench collector", Version: "0.0.0"},
		Factories: func() (otelcol.Factories, error) {
			return otelcol.Factories{
				Receivers: factories[receiver.Factory](otlpreceiver.NewFactory()),
				Processors: factories[processor.Factory](memorylimiterprocessor.NewFactory(),
					transformprocessor.NewFactory(), guardrailprocessor.NewFactory()),
				Connectors: factories[connector.Factory](countconnector.NewFactory()),
				Exporters:  factories[exporter.Factory](nopexporter.NewFactory()),
				Extensions: factories[extension.Factory](filestorage.NewFactory()),
				Telemetry:  otelconftelemetry.NewFactory(),
			}, nil
		},
		ConfigProviderSettings: otelcol.ConfigProviderSettings{ResolverSettings: confmap.ResolverSettings{
			ProviderFactories: []confmap.ProviderFactory{envprovider.NewFactory(), yamlprovider.NewFactory()},
		}},
	})
	command.SetArgs(args)
	return command.Execute()
}

func factories[F component.Factory](all ...F) map[component.Type]F {
	byType := map[component.Type]F{}
	for _, f := range all {
		byType[f.Type()] = f
	}
	return byType
}

// variant is the part of a collector's configuration that is compared: its
// pipelines, which follow the same receiver.
type variant struct{ name, config string }

// commonConfig receives records over OTLP. The collector keeps its own metrics as
// it does by default, although nobody reads them. Every port is 0, so that no other
// process can take it first; the log at level info says which one the receiver got.
const commonConfig = `
receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0"}}}}
processors:
  memory_limiter: {check_interval: 1s, limit_mib: 2000}
exporters: {nop: {}}
service:
  telemetry:
    logs: {level: info}
    metrics: {readers: [{pull: {exporter: {prometheus: {host: 127.0.0.1, port: 0}}}}]}
`

var (
	withoutProcessor = variant{"without the processor", `
service: {pipelines: {logs: {receivers: [otlp], processors: [memory_limiter], exporters: [nop]}}}
`}
	withProcessor = variant{"with gen_ai_guardrail", `
processors: {gen_ai_guardrail: {}}
service: {pipelines: {logs: {receivers: [otlp], processors: [memory_limiter, gen_ai_guardrail], exporters: [nop]}}}
`}
	withStorage = variant{"with gen_ai_guardrail and storage", `
extensions: {file_storage: {directory: "${env:BENCH_STATE}"}}
processors: {gen_ai_guardrail: {storage: file_storage}}
service:
  extensions: [file_storage]
  pipelines: {logs: {receivers: [otlp], processors: [memory_limiter, gen_ai_guardrail], exporters: [nop]}}
`}
	withTransformAndCount = variant{"with transform ParseJSON + count connector", `
processors:
  transform:` + indent(transformSettings) + `
connectors:
  count:` + indent(countSettings) + `
service:
  pipelines:
    logs: {receivers: [otlp], processors: [memory_limiter, transform], exporters: [count, nop]}
    metrics: {receivers: [count], exporters: [nop]}
`}
)
