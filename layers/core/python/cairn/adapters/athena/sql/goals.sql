-- The goals that customers of each journey reached in a period, also those of its holdout, and their value in minor
-- units.
WITH asked AS (SELECT CAST(? AS BIGINT) AS since, CAST(? AS BIGINT) AS until),
goals AS (
  SELECT facts.id, MIN(facts.journey) AS journey, MIN(facts.enrollment) AS enrollment, MIN(facts.customer) AS customer,
         MAX(COALESCE(facts.value, 0)) AS value, MAX(COALESCE(facts.currency, '')) AS currency
  FROM facts CROSS JOIN asked
  WHERE facts.kind = 'goal_reached' AND facts.at_ms >= asked.since AND facts.at_ms <= asked.until
  GROUP BY facts.id
)
SELECT journey, currency, COUNT(DISTINCT enrollment) AS goals, COUNT(DISTINCT customer) AS customers,
       SUM(value) AS value
FROM goals
GROUP BY journey, currency
ORDER BY journey, currency
