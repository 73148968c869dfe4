// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import (
	"math/bits"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// level holds, by key, those attributes of a record, its scope or its resource
// that are looked up.
type level struct {
	attrs  pcommon.Map
	table  *keyTable // of the keys that were looked for; nil: not read yet
	has    keySet
	values [maxTabled]pcommon.Value // valid for the keys in has
	held   keySet                   // the keys whose entry in values must be cleared

	// Looked at in every record. Reading them without the table saves a tenth of a
	// guarded record's time.
	operation, responseID string
}

// read reads all attributes that have a key in the table. Of two under one key the
// first counts, as in [pcommon.Map.Get].
func (l *level) read(attrs pcommon.Map, table *keyTable) {
	l.attrs, l.table, l.has = attrs, table, 0
	l.operation, l.responseID = "", ""
	for name, value := range attrs.All() {
		if table.lengths&(1<<(len(name)%64)) == 0 {
			continue // half of the other names end here
		}
		switch name {
		case attrOperation:
			if l.operation == "" {
				l.operation = value.Str()
			}
			if table.lacksRead {
				continue
			}
		case attrResponseID:
			if l.responseID == "" {
				l.responseID = value.Str()
			}
			if table.lacksRead {
				continue
			}
		}
		if k, ok := table.find(name); ok && !l.has.has(k) {
			l.has |= 1 << k
			l.held |= 1 << k
			l.values[k] = value
		}
	}
}

// clear empties l. It touches only the values that were used, since clearing all
// would take as long as reading a record.
func (l *level) clear() {
	for ; l.held != 0; l.held &= l.held - 1 {
		l.values[bits.TrailingZeros64(uint64(l.held))] = pcommon.Value{}
	}
	l.attrs, l.table, l.has = pcommon.Map{}, nil, 0
	l.operation, l.responseID = "", ""
}

// get returns the attribute under a key, which may be empty.
func (l *level) get(k key) (pcommon.Value, bool) {
	if k >= maxTabled {
		return l.attrs.Get(l.table.names[k])
	}
	return l.values[k], l.has.has(k)
}

// str returns the string under a key of the table; "" when there is none. It is faster
// than get.
func (l *level) str(k key) string {
	if k >= maxTabled || !l.has.has(k) {
		return ""
	}
	return l.values[k].Str()
}

// levels holds the attributes of a record, its scope and its resource, in the order
// in which they are looked up: the nearest level first.
type levels [3]level

// operation returns the value of [attrOperation]; "" when there is none.
func (l *levels) operation() string {
	for i := range l {
		if l[i].operation != "" {
			return l[i].operation
		}
	}
	return ""
}

// text returns the first string under the key that is not empty; "" when there is
// none.
func (l *levels) text(k key) string {
	for i := range l {
		if value, ok := l[i].get(k); ok {
			if s := stringOf(value); s != "" {
				return s
			}
		}
	}
	return ""
}

// lacks reports whether no level has any of the keys.
func (l *levels) lacks(list *keyList) bool {
	return l.has()&list.set == 0 && !list.untabled
}

// has returns the keys that at least one level has.
func (l *levels) has() keySet { return l[0].has | l[1].has | l[2].has }

// first returns the first string under any of the keys that is not empty, the nearest
// level before the best key; "" when there is none.
func (l *levels) first(list *keyList) string {
	if s := l[0].str(list.best); s != "" {
		return s // as most often
	}
	if l.lacks(list) {
		return ""
	}
	for i := range l {
		for _, k := range list.keys {
			if value, ok := l[i].get(k); ok {
				if s := stringOf(value); s != "" {
					return s
				}
			}
		}
	}
	return ""
}

// value returns the first value under the key that is not empty.
func (l *levels) value(k key) (pcommon.Value, bool) {
	if k < maxTabled && !l.has().has(k) {
		return pcommon.Value{}, false
	}
	for i := range l {
		if value, ok := l[i].get(k); ok && !isEmpty(value) {
			return value, true
		}
	}
	return pcommon.Value{}, false
}
