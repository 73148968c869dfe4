// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package html

import (
	"fmt"
	"strings"

	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/analysis"
	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/plot"
)

const (
	pictureWidth = 900
	pictureEdge  = 20
	cardGap      = 14
)

// Picture returns the beginning of a report as one SVG, for a page that shows what a report looks like.
func Picture(r *analysis.Report) string {
	from, to := span(r)
	wide, narrow := plot.Size{Class: "wide", Width: pictureWidth - 2*pictureEdge - 20}, plot.Size{Class: "narrow", Width: (pictureWidth-2*pictureEdge-cardGap)/2 - 20}
	rule := r.Rules[0]
	headline := Headline(r)

	var body strings.Builder
	y := 96.0
	card := func(svg string, x, width float64) (height float64) {
		height = plot.Height(svg)
		fmt.Fprintf(&body, `<rect class="card" x="%g" y="%g" width="%g" height="%g" rx="10"/>`, x, y, width+20, height+20)
		body.WriteString(strings.Replace(svg, "<svg ", fmt.Sprintf(`<svg x="%g" y="%g" width="%g" height="%g" `, x+10, y+10, width, height), 1))
		return height + 20 + cardGap
	}
	y += card(alertPlot(r, from, to).SVG(wide), pictureEdge, wide.Width)
	y += card(callPlot(r, from, to).SVG(wide), pictureEdge, wide.Width)
	card(curvePlot(rule, "Alerts", func(c *analysis.Curve) []int64 { return c.Alerts[:] }).SVG(narrow), pictureEdge, narrow.Width)
	y += card(curvePlot(rule, "Groups that alert", func(c *analysis.Curve) []int64 { return c.Groups[:] }).SVG(narrow),
		pictureEdge+narrow.Width+20+cardGap, narrow.Width)

	var svg strings.Builder
	fmt.Fprintf(&svg, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %g" role="img"><title>%s</title>`, pictureWidth, y+pictureEdge-cardGap, plot.Escape(headline))
	svg.WriteString("<style>" + pictureStyle() + "</style>")
	fmt.Fprintf(&svg, `<rect class="back" width="%d" height="%g" rx="12"/>`, pictureWidth, y+pictureEdge-cardGap)
	fmt.Fprintf(&svg, `<text class="kicker" x="%d" y="38">GUARDRAIL BACKTEST</text><text class="headline" x="%d" y="70">%s</text>`, pictureEdge, pictureEdge, plot.Escape(headline))
	svg.WriteString(body.String())
	svg.WriteString("</svg>\n")
	return svg.String()
}

// pictureStyle returns the part of the page's style sheet that plots need, without what decides between their sizes.
func pictureStyle() string {
	var css strings.Builder
	root, _, _ := strings.Cut(style, "* {")
	css.WriteString(root)
	for line := range strings.Lines(style) {
		if strings.HasPrefix(line, ".plot ") {
			css.WriteString(line)
		}
	}
	css.WriteString(`text { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, Arial, "DejaVu Sans", sans-serif; }
.back { fill: var(--back); stroke: var(--line); }
.card { fill: var(--card); stroke: var(--line); }
.kicker { fill: var(--soft); font-weight: 600; letter-spacing: .04em; }
.headline { fill: var(--text); font-size: 23px; font-weight: 650; }
`)
	return css.String()
}
