// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"regexp"
	"testing"

	"pgregory.net/rapid"
)

var canonicalUUID = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// A UUID is recognised, and not what any changed byte makes of it, and written as it was.
func TestUUIDIsReadAsItStands(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := []byte(rapid.StringMatching(canonicalUUID.String()).Draw(t, "uuid"))
		if rapid.Bool().Draw(t, "changed") {
			text[rapid.IntRange(0, len(text)-1).Draw(t, "at")] = rapid.OneOf(
				rapid.Byte(), rapid.SampledFrom([]byte("/09:@AFG`afg-\x00\x10\xb0\xe1")),
			).Draw(t, "to")
		}
		id, ok := parseUUID(string(text))
		if want := canonicalUUID.Match(text); ok != want {
			t.Fatalf("%q is read: %t, not %t", text, ok, want)
		}
		if ok && formatUUID(id) != string(text) {
			t.Fatalf("%q is written as %s", text, formatUUID(id))
		}
		if ok && uuidID(uuidBytes(id)) != id {
			t.Fatalf("%q is another after a restart", text)
		}
	})
}

// Whatever one byte of a UUID is changed to, it is a UUID only if that is a lower-case digit.
func TestEveryByteOfAUUIDIsChecked(t *testing.T) {
	for i := range uuidLen {
		text := []byte("01234567-89ab-cdef-0123-456789abcdef")
		for b := range 256 {
			text[i] = byte(b)
			if _, ok := parseUUID(string(text)); ok != canonicalUUID.Match(text) {
				t.Errorf("%q is read: %t", text, ok)
			}
		}
	}
}

func FuzzUUID(f *testing.F) {
	f.Add("01234567-89ab-cdef-0123-456789abcdef")
	f.Add("01234567-89AB-cdef-0123-456789abcdeg")
	f.Fuzz(func(t *testing.T, text string) {
		id, ok := parseUUID(text)
		if ok != canonicalUUID.MatchString(text) || ok && formatUUID(id) != text {
			t.Errorf("%q is read: %t, as %s", text, ok, formatUUID(id))
		}
	})
}
