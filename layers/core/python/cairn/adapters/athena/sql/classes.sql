-- How many customers came into each RFM class, how many fell silent for longer than usual, and how many came back.
WITH asked AS (SELECT CAST(? AS BIGINT) AS since, CAST(? AS BIGINT) AS until)
SELECT facts.kind, COALESCE(facts.arm, '') AS class, COUNT(DISTINCT facts.customer) AS customers
FROM facts CROSS JOIN asked
WHERE facts.kind IN ('classified', 'slowed', 'resumed') AND facts.at_ms >= asked.since AND facts.at_ms <= asked.until
GROUP BY facts.kind, COALESCE(facts.arm, '')
ORDER BY facts.kind, class
