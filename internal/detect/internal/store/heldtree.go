// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package store

import "unsafe"

// node is an event that is held, in a tree of its group's.
//
// The trees are treaps: search trees by time and identity, and heaps by random priority. So
// they stay balanced whatever arrives in which order, and each change takes time that grows
// with the logarithm of their size.
type node struct {
	Event
	group       HeldID // 0: it is free
	left, right uint32
	priority    uint16
	kind        HeldKind
}

// HeldBytes is the memory that an event takes that is held, except for its group.
const HeldBytes = int64(unsafe.Sizeof(node{}))

// find returns the number of an event in a tree, 0 if it is not there.
func (h *Held) find(root uint32, e *Event) uint32 {
	for n := root; n != 0; {
		x := h.nodes.at(n)
		switch order := e.compare(&x.Event); {
		case order < 0:
			n = x.left
		case order > 0:
			n = x.right
		default:
			return n
		}
	}
	return 0
}

// first returns the first event of a tree, 0 if it is empty.
func (h *Held) first(root uint32) uint32 {
	return h.after(root, func(*Event) bool { return true })
}

// next returns the event after another in its tree, 0 if that is the last.
func (h *Held) next(n uint32) uint32 {
	e := h.nodes.at(n)
	return h.after(h.group(e.group).trees[e.kind].root, func(other *Event) bool { return other.compare(&e.Event) > 0 })
}

// after returns the first event of a tree that lies on the later side of a place in it, 0 if
// there is none.
func (h *Held) after(root uint32, later func(*Event) bool) (first uint32) {
	for n := root; n != 0; {
		if x := h.nodes.at(n); later(&x.Event) {
			first, n = n, x.left
		} else {
			n = x.right
		}
	}
	return first
}

// before returns the last event of a tree that lies on the earlier side of a place in it, 0 if
// there is none.
func (h *Held) before(root uint32, earlier func(*Event) bool) (last uint32) {
	for n := root; n != 0; {
		if x := h.nodes.at(n); earlier(&x.Event) {
			last, n = n, x.right
		} else {
			n = x.left
		}
	}
	return last
}

// insert puts an event, which is not there, into a tree.
func (h *Held) insert(link *uint32, n uint32) {
	e := h.nodes.at(n)
	for *link != 0 {
		x := h.nodes.at(*link)
		if x.priority < e.priority {
			break
		}
		if e.compare(&x.Event) < 0 {
			link = &x.left
		} else {
			link = &x.right
		}
	}
	e.left, e.right = h.split(*link, &e.Event, false)
	*link = n
}

// split makes of a tree one of the events before another, or up to and including it, and one of
// the rest.
func (h *Held) split(root uint32, e *Event, including bool) (before, after uint32) {
	left, right := &before, &after
	for n := root; n != 0; {
		x := h.nodes.at(n)
		if order := x.compare(e); order < 0 || including && order == 0 {
			*left, left, n = n, &x.right, x.right
		} else {
			*right, right, n = n, &x.left, x.left
		}
	}
	*left, *right = 0, 0
	return before, after
}

// remove takes an event out of a tree.
func (h *Held) remove(root *uint32, n uint32) {
	e := h.nodes.at(n)
	*h.linkTo(root, n) = h.merge(e.left, e.right)
}

// merge makes one tree of two, of which one ends before the other begins.
func (h *Held) merge(earlier, later uint32) (root uint32) {
	link := &root
	for earlier != 0 && later != 0 {
		if x, y := h.nodes.at(earlier), h.nodes.at(later); x.priority >= y.priority {
			*link, link, earlier = earlier, &x.right, x.right
		} else {
			*link, link, later = later, &y.left, y.left
		}
	}
	*link = earlier | later // one of which is 0
	return root
}

// linkTo returns what refers to an event in a tree.
func (h *Held) linkTo(link *uint32, n uint32) *uint32 {
	e := &h.nodes.at(n).Event
	for *link != n {
		if x := h.nodes.at(*link); e.compare(&x.Event) < 0 {
			link = &x.left
		} else {
			link = &x.right
		}
	}
	return link
}

// appendBetween appends the earliest events of a tree after one time and up to another, as many
// as fit.
func (h *Held) appendBetween(root uint32, after, upTo int64, events []Event) []Event {
	for n := root; n != 0; {
		x := h.nodes.at(n)
		if x.Time > after {
			events = h.appendBetween(x.left, after, upTo, events)
			if x.Time > upTo || len(events) == cap(events) {
				break
			}
			events = append(events, x.Event)
		}
		n = x.right
	}
	return events
}

// free releases all events of a tree, which nothing refers to any more.
func (h *Held) free(root uint32) {
	for n := root; n != 0; {
		x := h.nodes.at(n)
		left, right := x.left, x.right
		h.nodes.put(n, x)
		h.free(left)
		n = right
	}
}
