// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

// Command genpicture writes the picture of a report that the documentation shows: what guardrail-backtest finds in the
// sample logs.
package main

import (
	"context"
	"flag"
	"log"
	"os"

	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/backtest"
	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/config"
	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/html"
	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/source"
)

func main() {
	logs := flag.String("logs", "../../testdata/quickstart", "folder to read")
	out := flag.String("out", "../../docs/backtest.svg", "file to write")
	flag.Parse()
	inputs, err := source.Find([]string{*logs})
	if err != nil {
		log.Fatal(err)
	}
	result, err := backtest.Run(context.Background(), &backtest.Options{Inputs: inputs, Config: config.Default()})
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(*out, []byte(html.Picture(result.Report)), 0o644); err != nil {
		log.Fatal(err)
	}
}
