// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// flags are the command's arguments.
type flags struct {
	paths     []string
	config    string
	component string
	from, to  moment
	format    string
	html      string

	explain string
	compare string
	expect  string
	junit   string
	suggest bool

	version bool
}

const usage = `Shows what the detection would have found in logs of model invocations.

  guardrail-backtest [flags] PATH...

A PATH is a file, a folder with everything below it, a glob such as 'logs/**/*.json.gz', or - for standard input.
Records may be lines, JSON over several lines, arrays, CloudWatch exports and subscriptions, OTLP-JSON, and gzip of any.

`

var formats = []string{"text", "json", "csv", "otlp-json"}

// parseFlags returns the arguments, or an error that it has already written to stderr.
func parseFlags(args []string, stderr io.Writer) (*flags, error) {
	f := &flags{}
	set := flag.NewFlagSet("guardrail-backtest", flag.ContinueOnError)
	set.SetOutput(stderr)
	set.Usage = func() {
		fmt.Fprint(stderr, usage)
		set.PrintDefaults()
	}
	set.StringVar(&f.config, "config", "", "`FILE` with a collector's configuration, or with the processor's part of it; default: the built-in rule")
	set.StringVar(&f.component, "component", "", "`ID` of the component in --config, where there are several: gen_ai_guardrail/name")
	set.Var(&f.from, "from", "leave out calls before this `TIME`: 2026-03-14 or 2026-03-14T09:00:00Z")
	set.Var(&f.to, "to", "leave out calls from this `TIME` on")
	set.StringVar(&f.format, "format", "text", "`FORM` of the output: "+strings.Join(formats, ", ")+" (csv and otlp-json hold the alerts)")
	set.StringVar(&f.html, "html", "", "also write a report with plots to this `FILE`, one page that needs nothing else")
	set.StringVar(&f.compare, "compare", "", "compare with another `RULE`: elastic, the SIEM rule as it is shipped")
	set.StringVar(&f.explain, "explain", "", "say how the records with this `REQUEST_ID` are judged, and why")
	set.StringVar(&f.expect, "expect", "", "`FILE` with alerts that must and must not come; exit code 1 if one is not met")
	set.StringVar(&f.junit, "junit", "", "write what came of --expect to this `FILE`, as JUnit")
	set.BoolVar(&f.suggest, "suggest-exempt", false, "propose exemptions for the noisiest principals; none that would silence an alert of --expect")
	set.BoolVar(&f.version, "version", false, "print the version")
	if err := set.Parse(args); err != nil {
		return nil, err
	}
	if f.version {
		return f, nil
	}
	f.paths = set.Args()
	var mistake string
	switch {
	case len(f.paths) == 0:
		mistake = "no PATH is given"
	case !slices.Contains(formats, f.format):
		mistake = fmt.Sprintf("--format %q is none of %s", f.format, strings.Join(formats, ", "))
	case f.compare != "" && f.compare != "elastic":
		mistake = fmt.Sprintf("--compare %q is not elastic", f.compare)
	case f.junit != "" && f.expect == "":
		mistake = "--junit needs --expect"
	case f.format != "text" && (f.explain != "" || f.suggest):
		mistake = "--explain and --suggest-exempt write text; leave --format out"
	case !f.to.IsZero() && !f.from.Before(f.to.Time):
		mistake = "--from is not before --to"
	default:
		return f, nil
	}
	err := fmt.Errorf("guardrail-backtest: %s; see guardrail-backtest --help", mistake)
	fmt.Fprintln(stderr, err)
	return nil, err
}

// moment is a time as an argument.
type moment struct{ time.Time }

func (m *moment) Set(text string) (err error) {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if m.Time, err = time.Parse(layout, text); err == nil {
			return nil
		}
	}
	return fmt.Errorf("%q is neither a date such as 2026-03-14 nor a time such as 2026-03-14T09:00:00Z", text)
}

func (m *moment) String() string {
	if m.IsZero() {
		return ""
	}
	return m.Format(time.RFC3339)
}
