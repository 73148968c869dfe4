// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package html

import (
	"fmt"
	"slices"
	"time"

	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/analysis"
	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/plot"
	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/report"
)

// maxBars is how many bars a plot has at most.
const maxBars = 120

// span returns the time that plots show: that of all calls, but for the first and last thousandth if they lie far from
// the others, as calls with a wrong time do.
func span(r *analysis.Report) (from, to time.Time) {
	if len(r.Minutes) == 0 {
		return time.Unix(0, 0).UTC(), time.Unix(60, 0).UTC()
	}
	total := int64(0)
	for _, b := range r.Minutes {
		total += b.Total()
	}
	edge := func(bins []analysis.Bin) time.Time {
		seen := int64(0)
		for _, b := range bins {
			if seen += b.Total(); seen > total/1000 {
				return b.Start
			}
		}
		return bins[0].Start
	}
	from = edge(r.Minutes)
	reversed := slices.Clone(r.Minutes)
	slices.Reverse(reversed)
	to = edge(reversed).Add(r.Width)
	whole := r.Read.To.Sub(r.Read.From)
	if whole < 3*to.Sub(from) {
		from, to = r.Read.From, r.Read.To
	}
	if to.Sub(from) < time.Minute {
		to = from.Add(time.Minute)
	}
	return from, to
}

// barWidths are the widths that bars can have.
var barWidths = []time.Duration{
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour,
	3 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour, 48 * time.Hour, 7 * 24 * time.Hour, 28 * 24 * time.Hour,
}

// barWidth returns the width of bars between two times, at least that of the bins that they are made of.
func barWidth(from, to time.Time, least time.Duration) time.Duration {
	for _, w := range barWidths {
		if w >= least && to.Sub(from)/w < maxBars {
			return w
		}
	}
	return max(least, to.Sub(from)/maxBars)
}

// rebin adds bins up to wider ones.
func rebin(bins []analysis.Bin, width time.Duration) []analysis.Bin {
	var wide []analysis.Bin
	for _, b := range bins {
		start := b.Start.Truncate(width)
		if n := len(wide); n == 0 || !wide[n-1].Start.Equal(start) {
			wide = append(wide, analysis.Bin{Start: start})
		}
		wide[len(wide)-1].Add(b.Counts)
	}
	return wide
}

const clock = "2 Jan 15:04"

func callPlot(r *analysis.Report, from, to time.Time) *plot.TimePlot {
	width := barWidth(from, to, r.Width)
	guarded := plot.Panel{Name: "Guarded calls a minute", Class: "guarded", Height: 110}
	unguarded := plot.Panel{Name: "Calls without a guardrail a minute", Class: "unguarded", Height: 110}
	for _, b := range rebin(r.Minutes, width) {
		rate := func(n int64) plot.Bar {
			v := float64(n) / width.Minutes()
			return plot.Bar{Start: b.Start, Value: v, Text: fmt.Sprintf("%s: %.3g a minute", b.Start.Format(clock), v)}
		}
		guarded.Bars = append(guarded.Bars, rate(b.Guarded))
		unguarded.Bars = append(unguarded.Bars, rate(b.Unguarded))
	}
	return &plot.TimePlot{
		Title: "Calls a minute", Description: fmt.Sprintf("From %s to %s UTC: %d guarded calls and %d without a guardrail, in two panels with scales of their own.",
			from.Format(clock), to.Format(clock), r.Counts.Guarded, r.Counts.Unguarded),
		From: from, To: to, Width: width, Panels: []plot.Panel{guarded, unguarded},
	}
}

func alertPlot(r *analysis.Report, from, to time.Time) *plot.TimePlot {
	width := barWidth(from, to, time.Minute)
	counts := map[time.Time]int{}
	for _, a := range r.Alerts {
		counts[a.Raised.Truncate(width)]++
	}
	panel := plot.Panel{Name: "Alerts opened in " + analysis.Duration(width), Class: "alerting", Height: 90, Whole: true}
	for start, n := range counts {
		panel.Bars = append(panel.Bars, plot.Bar{Start: start, Value: float64(n), Text: fmt.Sprintf("%s: %s", start.Format(clock), analysis.Count(int64(n), "alert"))})
	}
	slices.SortFunc(panel.Bars, func(a, b plot.Bar) int { return a.Start.Compare(b.Start) })
	return &plot.TimePlot{
		Title: "Alerts over time", Description: fmt.Sprintf("%s from %s to %s UTC.", analysis.Count(int64(len(r.Alerts)), "alert"), from.Format(clock), to.Format(clock)),
		From: from, To: to, Width: width, Panels: []plot.Panel{panel},
	}
}

// timeline draws the calls of a group, those that the rule counts below the guarded ones.
func timeline(g *analysis.GroupReport, alerts []*analysis.Alert, from, to time.Time) *plot.TimePlot {
	width := barWidth(from, to, g.Width)
	guarded := plot.Panel{Name: "Guarded calls in " + analysis.Duration(width), Class: "guarded", Height: 56, Whole: true}
	counted := plot.Panel{Name: "Calls that the rule counts, alerts shaded", Class: "unguarded", Height: 56, Whole: true}
	for _, b := range rebin(g.Timeline, width) {
		bar := func(n int64, what string) plot.Bar {
			return plot.Bar{Start: b.Start, Value: float64(n), Text: fmt.Sprintf("%s: %d %s", b.Start.Format(clock), n, what)}
		}
		guarded.Bars = append(guarded.Bars, bar(b.Guarded, "guarded"))
		counted.Bars = append(counted.Bars, bar(b.Unguarded, "counted"))
		if b.Intervened > 0 {
			guarded.Marks = append(guarded.Marks, plot.Mark{At: b.Start.Add(width / 2), Text: fmt.Sprintf("%s: a guardrail intervened %s", b.Start.Format(clock), times(b.Intervened))})
		}
	}
	for _, a := range alerts {
		counted.Spans = append(counted.Spans, plot.Span{From: a.Start, To: a.End, Text: fmt.Sprintf("alert from %s to %s: %d calls", a.Start.Format(clock), a.End.Format(clock), a.Count)})
	}
	return &plot.TimePlot{
		Title: "Calls of " + report.Clean(fmt.Sprint(g.Values)),
		Description: fmt.Sprintf("%d guarded calls, %d that the rule counts, %d interventions of a guardrail, %s.", g.Guarded, g.Counted, g.Intervened,
			analysis.Count(int64(len(alerts)), "alert")),
		From: from, To: to, Width: width, Panels: []plot.Panel{guarded, counted},
	}
}

func times(n int64) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

func curvePlot(rule *analysis.RuleReport, what string, of func(*analysis.Curve) []int64) *plot.CurvePlot {
	p := &plot.CurvePlot{
		Title:       what + " at each threshold",
		Description: what + " at thresholds from 1 to 50, for windows of several sizes; the table below has the numbers.",
		Name:        what,
		XName:       "threshold: more calls than this alert",
		Mark:        rule.Threshold, MarkLine: -1,
		MarkText: fmt.Sprintf("today: %d in %s", rule.Threshold, rule.Size),
	}
	for i, c := range rule.Curves {
		p.Lines = append(p.Lines, plot.Line{Name: c.Window, Values: of(c.Curve)})
		if c.Window == rule.Size {
			p.MarkLine = i
		}
	}
	return p
}
