// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package html

import (
	"cmp"
	"crypto/sha256"
	_ "embed" // the template and its parts
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/analysis"
	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/plot"
	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/report"
	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/siem"
)

//go:embed page.html.tmpl
var source string

//go:embed style.css
var style string

//go:embed sort.js
var script string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"time":     func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") },
	"iso":      func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	"duration": analysis.Duration,
	"count":    analysis.Count,
	"bytes":    report.Bytes,
	"number":   number,
	"percent":  percent,
	"visible":  visible,
	"join":     func(values []string) string { return visible(strings.Join(values, ", ")) },
	"names":    names,
	"moment":   moment,
	"keys":     func(m map[string]int64) []string { return slices.Sorted(maps.Keys(m)) },
	"most":     most,
	"int64":    func(n int) int64 { return int64(n) },
	"slug":     func(r analysis.Readiness) string { return strings.ReplaceAll(string(r), " ", "-") },
	"add":      func(a, b int) int { return a + b },
}).Parse(source))

// view is what the template shows.
type view struct {
	*analysis.Report
	Style    template.CSS
	Script   template.JS
	Policy   string
	Headline string

	AlertPlot, CallPlot template.HTML
	Rules               []ruleView
	Dimensions          []dimensionView
	Compared            *comparisonView // nil: not wanted
}

// comparisonView is a comparison of which not all rows are shown.
type comparisonView struct {
	*siem.Comparison
	Rows []siem.Row
	Left int
}

type ruleView struct {
	*analysis.RuleReport
	AlertCurve, GroupCurve template.HTML
	Timelines              []timelineView
	TimelinesLeft          int
}

type timelineView struct {
	*analysis.GroupReport
	Plot   template.HTML
	Alerts []*analysis.Alert
}

type dimensionView struct {
	Name   string
	Values []*analysis.Dimension
}

// Write writes a report as a page. compared is the comparison with the SIEM's rule, if it is wanted.
func Write(w io.Writer, r *analysis.Report, compared *siem.Comparison) error {
	digest := sha256.Sum256([]byte(script))
	v := &view{
		Report: r, Compared: newComparisonView(compared),
		Style: template.CSS(style), Script: template.JS(script),
		Policy: "default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-" + base64.StdEncoding.EncodeToString(digest[:]) + "'",
	}
	v.Headline = Headline(r)
	from, to := span(r)
	v.AlertPlot, v.CallPlot = both(alertPlot(r, from, to)), both(callPlot(r, from, to))
	for i, rule := range r.Rules {
		v.Rules = append(v.Rules, newRuleView(r, i, rule, from, to))
	}
	for _, name := range report.Dimensions {
		v.Dimensions = append(v.Dimensions, dimensionView{name, r.By[name]})
	}
	return page.Execute(w, v)
}

// maxRows is how many rows of a comparison are shown of each kind.
const maxRows = 200

func newComparisonView(c *siem.Comparison) *comparisonView {
	if c == nil {
		return nil
	}
	v := &comparisonView{Comparison: c}
	shown := map[string]int{}
	for _, row := range c.Rows {
		if shown[row.By]++; shown[row.By] > maxRows {
			v.Left++
			continue
		}
		v.Rows = append(v.Rows, row)
	}
	return v
}

// Headline says in one sentence what a report found.
func Headline(r *analysis.Report) string {
	if r.Read.Invocations == 0 {
		return "No model invocation was found."
	}
	opened := int64(0)
	for _, rule := range r.Rules {
		opened += rule.Alerts
	}
	alerts := analysis.Count(opened, "alert")
	if opened == 0 {
		alerts = "No alert"
	}
	return fmt.Sprintf("%s in %s of logs: %s of %s invocations had no guardrail.", alerts, analysis.Duration(r.Read.To.Sub(r.Read.From)),
		number(r.Counts.Unguarded), number(r.Read.Invocations))
}

// maxTimelines is how many groups of a rule have a timeline.
const maxTimelines = 30

func newRuleView(r *analysis.Report, index int, rule *analysis.RuleReport, from, to time.Time) ruleView {
	v := ruleView{RuleReport: rule}
	if len(rule.Curves) > 0 {
		v.AlertCurve = both(curvePlot(rule, "Alerts", func(c *analysis.Curve) []int64 { return c.Alerts[:] }))
		v.GroupCurve = both(curvePlot(rule, "Groups that alert", func(c *analysis.Curve) []int64 { return c.Groups[:] }))
	}
	byKey := map[string][]*analysis.Alert{}
	for _, a := range r.Alerts {
		if a.RuleIndex == index {
			byKey[a.Key] = append(byKey[a.Key], a)
		}
	}
	for _, g := range rule.Groups {
		if g.Alerts == 0 {
			continue
		}
		if len(v.Timelines) == maxTimelines {
			v.TimelinesLeft++
			continue
		}
		v.Timelines = append(v.Timelines, timelineView{g, both(timeline(g, byKey[g.Key], from, to)), byKey[g.Key]})
	}
	return v
}

// drawing is a plot that can be drawn in any size.
type drawing interface{ SVG(size plot.Size) string }

// both draws a plot for wide and for narrow screens, one of which the style sheet shows.
func both(d drawing) template.HTML {
	var svg strings.Builder
	for _, size := range plot.Sizes {
		svg.WriteString(d.SVG(size))
	}
	return template.HTML(svg.String()) // all text in it is escaped by package plot
}

// visible returns a text without characters that are invisible or change the direction of writing.
func visible(text string) string {
	if text == "" {
		return "(none)"
	}
	return report.Clean(text)
}

// names returns one name or several, in which a line may also break after a colon and a slash, as in ARNs.
func names(of any) template.HTML {
	text, ok := of.(string)
	if several, isList := of.([]string); isList {
		text, ok = strings.Join(several, ", "), true
	}
	if !ok {
		panic(fmt.Sprintf("names of %T", of)) // a mistake in the template
	}
	escaped := template.HTMLEscapeString(visible(text))
	return template.HTML(strings.NewReplacer(":", ":<wbr>", "/", "/<wbr>").Replace(escaped))
}

// moment returns a time of which a line may keep the date alone.
func moment(t time.Time) template.HTML {
	return template.HTML(t.UTC().Format("<span>2006-01-02</span> <span>15:04:05</span>"))
}

// most returns the keys of a map, those with the largest numbers first.
func most(m map[string]int64) []string {
	return slices.SortedFunc(maps.Keys(m), func(a, b string) int { return cmp.Or(cmp.Compare(m[b], m[a]), cmp.Compare(a, b)) })
}

// number returns a number with separators of thousands.
func number(n int64) string {
	text := strconv.FormatInt(n, 10)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "\u202f" + text[i:] // a narrow space that does not break
	}
	return text
}

func percent(n, of int64) string {
	return fmt.Sprintf("%.3g%%", 100*float64(n)/float64(max(1, of)))
}
