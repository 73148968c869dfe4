// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package settings

import (
	"slices"
	"strings"
)

// partitionKeys are the fields that annotate writes and partition_by may use.
var partitionKeys = []string{
	PrincipalKey, "user.id", "cloud.account.id", "cloud.region", "gen_ai.request.model", "rpc.method",
}

// checkPartition refuses unknown fields in partition_by and, on a detector that sees only its share of the partitions,
// rules whose groups can lie in several of them: each detector would count a part of such a group.
func (ms *mistakes) checkPartition(c *Config) {
	ms.checkList("partition_by", c.PartitionBy, func(entry string) string {
		if !slices.Contains(partitionKeys, entry) {
			return "is not a field that annotate writes; allowed: " + strings.Join(partitionKeys, ", ")
		}
		return ""
	})
	if !c.TrustAnnotations {
		return
	}
	for i, rule := range c.Rules {
		for _, field := range c.PartitionBy {
			if slices.Contains(partitionKeys, field) && !determines(rule.GroupBy, field) {
				ms.add(join(entry("rules", i), "group_by"), "[%s] does not determine %s, which partition_by names, so that several detectors would "+
					"share a group; allowed: with %s, or another partition_by, the same on all edges and detectors, or partition_by: [] where "+
					"one detector receives everything", strings.Join(rule.GroupBy, ", "), field, strings.Join(determining(field), " or "))
			}
		}
	}
}

// determines reports whether all invocations of a group have the same value of a field.
func determines(groupBy []string, field string) bool {
	return slices.ContainsFunc(determining(field), func(key string) bool { return slices.Contains(groupBy, key) })
}

// determining returns the keys of group_by that determine a field.
func determining(field string) []string {
	if field == PrincipalKey {
		return []string{field, "user.id"} // of which it is a part
	}
	return []string{field}
}
