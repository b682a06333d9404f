-- Which other journeys wrote to the customers of this one within its window, by arm: what may blur its effect.
WITH asked AS (
  SELECT CAST(? AS VARCHAR) AS journey, CAST(? AS BIGINT) AS since, CAST(? AS BIGINT) AS until,
         CAST(? AS BIGINT) AS closes_after
),
population AS (
  SELECT facts.customer, MIN(facts.at_ms) AS entered_at,
         MAX(CASE WHEN facts.kind = 'held_out' THEN 'holdout' ELSE 'treated' END) AS arm
  FROM facts CROSS JOIN asked
  WHERE facts.kind IN ('entered', 'held_out') AND facts.journey = asked.journey AND facts.at_ms >= asked.since
    AND facts.at_ms <= asked.until
  GROUP BY facts.customer
)
SELECT population.arm, facts.journey, COUNT(DISTINCT facts.customer) AS customers
FROM facts
CROSS JOIN asked
JOIN population ON population.customer = facts.customer
WHERE facts.kind = 'sent' AND facts.journey <> asked.journey AND facts.at_ms >= population.entered_at
  AND facts.at_ms <= population.entered_at + asked.closes_after
GROUP BY population.arm, facts.journey
ORDER BY population.arm, facts.journey
