// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/xml"
	"fmt"
	"strings"
	"time"
)

const (
	width = 860
	left  = 44 // of the axis of time
	right = 816
)

// style is for light and dark screens. The card behind everything has a color of its own, so that a picture is readable on any page.
const style = `
:root { color-scheme: light dark; --card: #ffffff; --line: #d5dae0; --text: #1b1f24; --soft: #59616b; --call: #2f6f8f; --alert: #a3132f; --band: #a3132f; --window: #6b3fa0; }
@media (prefers-color-scheme: dark) { :root { --card: #161a1e; --line: #3a424b; --text: #e7eaed; --soft: #a3abb4; --call: #6db3d1; --alert: #ff7d92; --band: #ff7d92; --window: #c3a1f2; } }
text { font: 13px system-ui, -apple-system, "Segoe UI", Roboto, Arial, "DejaVu Sans", sans-serif; fill: var(--soft); }
.card { fill: var(--card); stroke: var(--line); }
.title { font-weight: 600; fill: var(--text); }
.axis { stroke: var(--line); stroke-width: 1.5; }
.tick { stroke: var(--line); }
.bucket { fill: none; stroke: var(--line); stroke-width: 1.5; }
.call { fill: var(--call); stroke: var(--call); stroke-width: 1.5; }
.ignored { fill: var(--card); stroke: var(--soft); stroke-width: 1.5; }
.blocked { fill: var(--card); stroke: var(--window); stroke-width: 2; }
.window { fill: none; stroke: var(--window); stroke-width: 2; }
.within { fill: var(--window); opacity: .12; }
.window-text { fill: var(--window); }
.alert { fill: var(--alert); }
.alert-text { fill: var(--alert); font-weight: 600; }
.band { fill: var(--band); opacity: .16; }
`

// canvas draws a picture with an axis of time from left to right.
type canvas struct {
	body     strings.Builder
	from, to time.Duration
	y        float64 // of the next lane
}

func newCanvas(from, to time.Duration) *canvas { return &canvas{from: from, to: to, y: 18} }

// x returns where a time is.
func (c *canvas) x(at time.Duration) float64 {
	return left + (right-left)*float64(at-c.from)/float64(c.to-c.from)
}

func (c *canvas) draw(format string, args ...any) { fmt.Fprintf(&c.body, format+"\n", args...) }

func (c *canvas) text(x, y float64, class, anchor, text string) {
	c.draw(`<text x="%.1f" y="%.1f" class="%s" text-anchor="%s">%s</text>`, x, y, class, anchor, escaped(text))
}

// lane begins a lane with a title and what is to be seen in it. It returns where its axis is.
func (c *canvas) lane(title, says string, height float64) (axis float64) {
	c.text(left, c.y+14, "title", "start", title)
	c.text(left, c.y+32, "", "start", says)
	axis = c.y + height - 16
	c.draw(`<line class="axis" x1="%d" x2="%d" y1="%.1f" y2="%.1f"/>`, left, right, axis, axis)
	c.y += height + 14
	return axis
}

// calls draws calls on an axis, each with the class that it belongs to.
func (c *canvas) calls(axis float64, calls []call, class func(call) string) {
	for _, one := range calls {
		c.draw(`<circle class="%s" cx="%.1f" cy="%.1f" r="5"/>`, class(one), c.x(one.at), axis)
	}
}

// flag marks the moment at which an alert is raised, above the axis.
func (c *canvas) flag(axis float64, at time.Duration, anchor, text string) {
	x := c.x(at)
	c.draw(`<path class="alert" d="M%.1f %.1fl-6 -10h12z"/>`, x, axis-8)
	dx := map[string]float64{"start": 10, "end": -10}[anchor]
	c.text(x+dx, axis-10, "alert-text", anchor, text)
}

// ticks writes times below everything.
func (c *canvas) ticks(interval time.Duration, layout string) {
	for at := c.from.Truncate(interval); at <= c.to; at += interval {
		if at < c.from {
			continue
		}
		c.draw(`<line class="tick" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`, c.x(at), c.x(at), c.y-8, c.y-2)
		c.text(c.x(at), c.y+13, "", "middle", clock(at, layout))
	}
	c.y += 22
}

// legend explains the marks.
func (c *canvas) legend(entries ...[2]string) {
	x := float64(left)
	for _, entry := range entries {
		if entry[0] == "alert" {
			c.draw(`<path class="alert" d="M%.1f %.1fl-6 -10h12z"/>`, x+6, c.y+15)
		} else {
			c.draw(`<circle class="%s" cx="%.1f" cy="%.1f" r="5"/>`, entry[0], x+6, c.y+10)
		}
		c.text(x+18, c.y+14, "", "start", entry[1])
		x += 44 + 6.6*float64(len(entry[1]))
	}
	c.y += 24
}

// svg returns the picture.
func (c *canvas) svg(title, description string) string {
	height := c.y + 10
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %.0f" role="img" aria-labelledby="title desc"><title id="title">%s</title><desc id="desc">%s</desc><style>%s</style>
<rect class="card" x="0.5" y="0.5" width="%d" height="%.0f" rx="10"/>
%s</svg>
`, width, height, escaped(title), escaped(description), style, width-1, height-1, c.body.String())
}

func clock(at time.Duration, layout string) string { return epoch.Add(at).Format(layout) }

func escaped(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a Builder never fails
	return b.String()
}
