-- How many facts there are of each kind, each counted once.
WITH asked AS (SELECT CAST(? AS BIGINT) AS since, CAST(? AS BIGINT) AS until)
SELECT facts.kind, COUNT(DISTINCT facts.id) AS facts
FROM facts CROSS JOIN asked
WHERE facts.at_ms >= asked.since AND facts.at_ms <= asked.until
GROUP BY facts.kind
ORDER BY facts.kind
