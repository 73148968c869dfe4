// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import "slices"

// keyTable maps the names of attributes to keys, in a hash table.
type keyTable struct {
	names   []string
	lengths uint64     // bit n is set where a name has n bytes, modulo 64
	slots   [256]uint8 // by hash or in the next free slot: the key plus 1; 0: free

	lacksRead bool // has neither of the names that [level.read] looks for itself
}

// maxTabled is how many keys a table holds at most, so that a set of them is one
// word. Further keys, when the settings name so many, are looked up one by one.
const maxTabled = 64

// newKeyTable returns a table of the attributes with a key of their own that are looked
// up in a kind of records.
func newKeyTable(in signals) *keyTable {
	own := attributes[:logKeys]
	if in == inSpans {
		own = attributes[:ownKeys]
	}
	t := new(keyTable)
	for _, a := range own {
		t.add(a.name)
	}
	return t
}

// tableOf returns a table of the names.
func tableOf(names []string) *keyTable {
	t := new(keyTable)
	t.addAll(names)
	return t
}

// add returns the key of a name, a new one if it has none yet.
func (t *keyTable) add(name string) key {
	if i := slices.Index(t.names, name); i >= 0 {
		return key(i)
	}
	t.names = append(t.names, name)
	k := key(len(t.names) - 1)
	t.insert(k)
	return k
}

// addAll returns the keys of names, in their order.
func (t *keyTable) addAll(names []string) (keys []key) {
	for _, name := range names {
		keys = append(keys, t.add(name))
	}
	return keys
}

// subset returns a table of some of the keys, under the same numbers.
func (t *keyTable) subset(keys ...key) *keyTable {
	some := &keyTable{
		names: t.names, lengths: 1<<len(attrOperation) | 1<<len(attrResponseID),
		lacksRead: !slices.Contains(keys, keyOperation) && !slices.Contains(keys, keyResponseID),
	}
	for _, k := range keys {
		some.insert(k)
	}
	return some
}

// insert puts a key into the first free slot from its hash on.
func (t *keyTable) insert(k key) {
	if k >= maxTabled {
		return
	}
	slot := hashOf(t.names[k])
	for t.slots[slot] != 0 {
		slot++
	}
	t.slots[slot] = uint8(k + 1)
	t.lengths |= 1 << (len(t.names[k]) % 64)
}

// hashOf returns the hash of a name, from its length and two of its bytes, which
// differs for nearly all of the keys.
func hashOf(name string) uint8 {
	if name == "" {
		return 0
	}
	return uint8(7*len(name)) + 13*name[len(name)/2] + name[len(name)-1]
}

// find returns the key of a name; ok is false when the table has none.
func (t *keyTable) find(name string) (k key, ok bool) {
	for slot := hashOf(name); ; slot++ {
		n := t.slots[slot]
		if n == 0 {
			return 0, false
		}
		if t.names[n-1] == name {
			return key(n - 1), true
		}
	}
}

// keySet is a set of keys in a table, one bit each.
type keySet uint64

func (s keySet) has(k key) bool { return s&(1<<k) != 0 }

// keyList holds keys with the same meaning, the best first.
type keyList struct {
	keys []key
	best key    // the first of them; maxTabled if there is none
	set  keySet // of those in the table: rules out attributes with none of them

	untabled bool // there are keys that the table does not hold
}

// listOf returns the list of keys, the best first.
func listOf(keys ...key) keyList {
	list := keyList{keys: keys, best: maxTabled}
	if len(keys) > 0 {
		list.best = keys[0]
	}
	for _, k := range keys {
		if k < maxTabled {
			list.set |= 1 << k
		} else {
			list.untabled = true
		}
	}
	return list
}
