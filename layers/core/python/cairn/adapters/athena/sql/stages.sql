-- How many customers came into each stage of each pipeline.
WITH asked AS (SELECT CAST(? AS BIGINT) AS since, CAST(? AS BIGINT) AS until)
SELECT facts.step AS pipeline, facts.arm AS stage, COUNT(DISTINCT facts.customer) AS customers
FROM facts CROSS JOIN asked
WHERE facts.kind = 'staged' AND facts.at_ms >= asked.since AND facts.at_ms <= asked.until
GROUP BY facts.step, facts.arm
ORDER BY pipeline, MIN(facts.at_ms), stage
