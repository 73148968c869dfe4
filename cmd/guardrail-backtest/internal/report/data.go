// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"strconv"
	"strings"
	"time"

	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/analysis"
	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/siem"
)

// JSON writes a whole report as JSON, with the comparison if there is one.
func JSON(w io.Writer, r *analysis.Report, compared *siem.Comparison) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(struct {
		*analysis.Report
		Compared *siem.Comparison `json:"compared,omitempty"`
	}{r, compared})
}

var columns = []string{
	"raised", "rule", "severity", "state", "group", "count", "count_presumed", "start", "end", "models", "operations", "regions",
	"request_ids", "alert_id",
}

// CSV writes the alerts of a report, one a line.
func CSV(w io.Writer, r *analysis.Report) error {
	out := csv.NewWriter(w)
	if err := out.Write(columns); err != nil {
		return err
	}
	for _, a := range r.Alerts {
		row := []string{
			stamp(a.Raised), a.Rule, a.Severity, a.State, Group(r, a), strconv.Itoa(a.Count), strconv.Itoa(a.Presumed), stamp(a.Start), stamp(a.End),
			strings.Join(a.Models, " "), strings.Join(a.Operations, " "), strings.Join(a.Regions, " "), strings.Join(a.RequestIDs, " "), a.ID,
		}
		for i := range row {
			row[i] = Cell(row[i])
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// Group returns the values of an alert's group as text.
func Group(r *analysis.Report, a *analysis.Alert) string {
	if a.Group == nil {
		return ""
	}
	var values []string
	for _, key := range r.Rules[a.RuleIndex].GroupBy {
		values = append(values, a.Group[key])
	}
	return strings.Join(values, ", ")
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}
