-- How many facts there are of each kind, each counted once.
WITH asked AS (SELECT CAST(? AS BIGINT) AS since, CAST(? AS BIGINT) AS until),
facts_once AS (
  SELECT DISTINCT facts.kind, facts.id FROM facts CROSS JOIN asked
  WHERE facts.at_ms >= asked.since AND facts.at_ms <= asked.until
)
SELECT kind, COUNT(*) AS facts
FROM facts_once
GROUP BY kind
ORDER BY kind
