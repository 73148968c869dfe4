// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"

	"go.opentelemetry.io/collector/pdata/plog"

	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/analysis"
	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/backtest"
	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/expect"
	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/explain"
	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/html"
	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/report"
	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/suggest"
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

// write writes the report, or what of it is asked for.
func (o *output) write(result *backtest.Result, expected *expect.Expectations) error {
	if o.err != nil {
		return o.err
	}
	if err := o.writeForm(result); err != nil {
		return err
	}
	if o.suggest {
		if err := suggest.Text(o.out, suggest.Exemptions(result.Report, expected)); err != nil {
			return err
		}
	}
	if err := o.out.Flush(); err != nil {
		return err
	}
	return o.writeHTML(result)
}

func (o *output) writeForm(result *backtest.Result) error {
	switch {
	case o.explain != "":
		return explain.Text(o.out, o.explain, result.Explained, result.Report)
	case o.format == "json":
		return report.JSON(o.out, result.Report, result.Compared)
	case o.format == "csv":
		return report.CSV(o.out, result.Report)
	case o.format == "text":
		if err := report.Text(o.out, result.Report); err != nil || result.Compared == nil {
			return err
		}
		return report.Comparison(o.out, result.Compared)
	default: // the alerts were written as they came
		return nil
	}
}

// writeHTML writes the report with plots, if it is wanted.
func (o *output) writeHTML(result *backtest.Result) error {
	if o.html == "" {
		return nil
	}
	var page bytes.Buffer
	if err := html.Write(&page, result.Report, result.Compared); err != nil {
		return err
	}
	return os.WriteFile(o.html, page.Bytes(), 0o600) // it names users
}

// writeOutcomes writes what came of the expectations, and returns how many are not met. It goes to stderr where the
// output is data.
func (o *output) writeOutcomes(r *analysis.Report, expected *expect.Expectations, stderr io.Writer) (failed int, err error) {
	if err := expected.Check(r); err != nil {
		return 0, err
	}
	outcomes := expected.Outcomes(r)
	var to io.Writer = o.out
	if o.format != "text" {
		to = stderr
	}
	if err := errors.Join(expect.Text(to, outcomes), o.out.Flush()); err != nil {
		return 0, err
	}
	if o.junit != "" {
		text, err := expect.JUnit(outcomes)
		if err != nil {
			return 0, err
		}
		if err := os.WriteFile(o.junit, text, 0o600); err != nil {
			return 0, err
		}
	}
	return expect.Failed(outcomes), nil
}
