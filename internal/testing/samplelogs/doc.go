// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

// Package samplelogs invents the sample logs in testdata/quickstart: two hours of Amazon Bedrock model-invocation logs of two
// accounts, in the form in which Bedrock delivers them to S3.
//
// [scenario.go] is the story, one actor a row; [Expected] are the alerts that the built-in rule raises on it and [Invocations]
// is what is true of each record. The rest turns the story into files, the same bytes for the same seed. Every name, id, prompt
// and answer is made up.
package samplelogs
