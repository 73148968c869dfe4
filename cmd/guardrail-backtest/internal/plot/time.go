// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package plot

import (
	"fmt"
	"math"
	"time"
)

// Size is the width of a plot: the same plot is drawn for wide screens and for phones.
type Size struct {
	Class string
	Width float64
}

// Sizes are the widths that every plot is drawn in.
var Sizes = []Size{{"wide", 860}, {"narrow", 350}}

// Bar is a value of a stretch of time.
type Bar struct {
	Start time.Time
	Value float64
	Text  string // shown for it
}

// Panel is one of the plots that share an axis of time.
type Panel struct {
	Name   string // written above it
	Class  string // of its bars
	Bars   []Bar
	Spans  []Span // marked in the background
	Marks  []Mark
	Height float64
	Whole  bool // the values are whole numbers
}

// Span is a stretch of time.
type Span struct {
	From, To time.Time
	Text     string
}

// Mark is a moment.
type Mark struct {
	At   time.Time
	Text string
}

// TimePlot is some panels above an axis of time.
type TimePlot struct {
	Title, Description string
	From, To           time.Time
	Width              time.Duration // of the bars
	Panels             []Panel
}

const (
	left, right = 44, 8
	panelTop    = 20
	panelGap    = 12
	axisHeight  = 24
)

// SVG draws the plot.
func (p *TimePlot) SVG(size Size) string {
	height := float64(axisHeight)
	for i := range p.Panels {
		height += p.Panels[i].Height + panelTop
		if i > 0 {
			height += panelGap
		}
	}
	c := newCanvas(size.Width, height, size.Class, p.Title, p.Description)
	x := func(t time.Time) float64 {
		share := float64(t.Sub(p.From)) / float64(max(1, p.To.Sub(p.From)))
		return left + min(1, max(0, share))*(size.Width-left-right)
	}
	y := 0.0
	for i := range p.Panels {
		if y += panelTop; i > 0 {
			y += panelGap
		}
		p.draw(c, &p.Panels[i], x, y)
		y += p.Panels[i].Height
	}
	marks, layout := timeTicks(p.From, p.To, int(size.Width/75))
	for _, t := range marks {
		at := x(t)
		c.line("tick", at, y, at, y+4)
		anchor := "middle"
		if at < left+20 {
			anchor = "start"
		} else if at > size.Width-30 {
			anchor = "end"
		}
		c.text("label", anchor, at, y+17, t.Format(layout))
	}
	return c.finish()
}

func (p *TimePlot) draw(c *canvas, panel *Panel, x func(time.Time) float64, top float64) {
	highest := 0.0
	for _, b := range panel.Bars {
		highest = max(highest, b.Value)
	}
	values := ticks(highest, 3, panel.Whole)
	highest = values[len(values)-1]
	bottom := top + panel.Height
	y := func(v float64) float64 { return bottom - v/highest*(panel.Height-6) }
	c.text("name", "start", left, top-6, panel.Name)
	for _, v := range values {
		class := "grid"
		if v == 0 {
			class = "axis"
		}
		c.line(class, left, y(v), c.width-right, y(v))
		c.text("label", "end", left-6, y(v)+4, label(v))
	}
	for _, s := range panel.Spans {
		c.rect("span", x(s.From), top, max(2, x(s.To)-x(s.From)), panel.Height, s.Text)
	}
	for _, b := range panel.Bars {
		if b.Value <= 0 || b.Start.Add(p.Width).Before(p.From) || b.Start.After(p.To) {
			continue
		}
		from, to := x(b.Start), x(b.Start.Add(p.Width))
		h := max(1, bottom-y(b.Value))
		c.rect(panel.Class, from, bottom-h, max(1, to-from-math.Min(1, (to-from)/4)), h, b.Text)
	}
	for _, m := range panel.Marks {
		at := x(m.At)
		fmt.Fprintf(&c.svg, `<path class="mark" d="M%s %sl5 -9h-10z"><title>%s</title></path>`, num(at), num(top+10), Escape(m.Text))
	}
}
