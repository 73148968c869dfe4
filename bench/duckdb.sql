-- Copyright The otelcol-guardrail Authors
-- SPDX-License-Identifier: Apache-2.0

-- Elastic's rule as shipped, over a month of Bedrock's records at once: in every run, ten minutes apart, the users with
-- more than five records of the last sixty minutes that name no guardrail, the 100 with the most first. Run it with
-- DuckDB's command line in the folder of the logs (duckdb < duckdb.sql; "SET threads = 1;" in front for one core).
--
-- The columns are given, so that DuckDB neither looks for them nor parses what the rule does not need.
WITH calls AS (
	SELECT identity.arn AS "user", epoch("timestamp")::BIGINT AS ts
	FROM read_json('**/*.json.gz', format = 'newline_delimited', columns = {
		"timestamp": 'TIMESTAMP', identity: 'STRUCT(arn VARCHAR)', output: 'STRUCT(outputBodyJson JSON)'})
	WHERE identity.arn <> ''
		AND coalesce(json_keys(output.outputBodyJson, '$.trace.guardrail.inputAssessment'), []) = []
		AND coalesce(json_keys(output.outputBodyJson, '$."amazon-bedrock-trace".guardrail.input'), []) = []
		AND coalesce(len(flatten(json_keys(output.outputBodyJson, '$[*]."amazon-bedrock-trace".guardrail.input'))), 0) = 0
), slots AS (
	SELECT "user", ceil(ts / 600.0)::BIGINT AS run, count(*) AS n FROM calls GROUP BY ALL
), runs AS (
	SELECT "user", run + i AS run, sum(n) AS n FROM slots, range(0, 6) r(i) GROUP BY ALL
)
SELECT run, "user", n FROM runs WHERE n > 5
QUALIFY row_number() OVER (PARTITION BY run ORDER BY n DESC) <= 100
ORDER BY run, n DESC;
