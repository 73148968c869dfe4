// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"io"
	"os"

	"go.opentelemetry.io/collector/pdata/plog"

	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/backtest"
	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/html"
	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/report"
)

// output writes what the command finds in the form that is wanted.
type output struct {
	*flags
	out *bufio.Writer
	err error
}

func newOutput(f *flags, stdout io.Writer) *output {
	return &output{flags: f, out: bufio.NewWriter(stdout)}
}

// alert writes an alert record as it comes, if that is what is wanted.
func (o *output) alert(logs plog.Logs) {
	if o.format != "otlp-json" || o.err != nil {
		return
	}
	var line []byte
	if line, o.err = (&plog.JSONMarshaler{}).MarshalLogs(logs); o.err == nil {
		_, o.err = o.out.Write(append(line, '\n'))
	}
}

// write writes the report.
func (o *output) write(result *backtest.Result) error {
	if o.err != nil {
		return o.err
	}
	var err error
	switch o.format {
	case "text":
		err = report.Text(o.out, result.Report)
	case "json":
		err = report.JSON(o.out, result.Report)
	case "csv":
		err = report.CSV(o.out, result.Report)
	}
	if err != nil {
		return err
	}
	if err := o.out.Flush(); err != nil {
		return err
	}
	return o.writeHTML(result)
}

// writeHTML writes the report with plots, if it is wanted.
func (o *output) writeHTML(result *backtest.Result) error {
	if o.html == "" {
		return nil
	}
	var page bytes.Buffer
	if err := html.Write(&page, result.Report, nil); err != nil {
		return err
	}
	return os.WriteFile(o.html, page.Bytes(), 0o600) // it names users
}
