-- Why messages did not go out, or not yet, by journey.
WITH asked AS (SELECT CAST(? AS BIGINT) AS since, CAST(? AS BIGINT) AS until)
SELECT facts.kind, facts.reason, facts.journey, COUNT(DISTINCT facts.message) AS messages
FROM facts CROSS JOIN asked
WHERE facts.kind IN ('suppressed', 'deferred', 'failed') AND facts.at_ms >= asked.since AND facts.at_ms <= asked.until
GROUP BY facts.kind, facts.reason, facts.journey
ORDER BY messages DESC, facts.kind, facts.reason, facts.journey
