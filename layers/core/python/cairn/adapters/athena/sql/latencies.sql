-- Milliseconds from what happened to its commit (`event`), and from a decision to its message (`sent`, at most an hour:
-- what waited longer waited for an hour of day, a cap or a person).
WITH asked AS (SELECT CAST(? AS BIGINT) AS since, CAST(? AS BIGINT) AS until),
measured AS (
  SELECT facts.kind, facts.id, MIN(COALESCE(facts.lag_ms, 0)) AS lag
  FROM facts CROSS JOIN asked
  WHERE facts.kind IN ('event', 'sent') AND facts.at_ms >= asked.since AND facts.at_ms <= asked.until
  GROUP BY facts.kind, facts.id
)
SELECT kind, COUNT(*) AS facts, CAST(ROUND(APPROX_PERCENTILE(lag, 0.5)) AS BIGINT) AS p50_ms,
       CAST(ROUND(APPROX_PERCENTILE(lag, 0.95)) AS BIGINT) AS p95_ms,
       CAST(ROUND(APPROX_PERCENTILE(lag, 0.99)) AS BIGINT) AS p99_ms, MAX(lag) AS longest_ms
FROM measured
WHERE kind = 'event' OR lag <= 3600000
GROUP BY kind
ORDER BY kind
