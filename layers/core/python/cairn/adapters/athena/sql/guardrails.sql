-- Of the customers whose window has closed, by arm: how many called a message spam, took back a consent or had a task
-- that was escalated, of this journey or any other, within the window.
WITH asked AS (
  SELECT CAST(? AS VARCHAR) AS journey, CAST(? AS BIGINT) AS since, CAST(? AS BIGINT) AS until,
         CAST(? AS BIGINT) AS closes_after
),
passages AS (
  SELECT facts.enrollment, MIN(facts.customer) AS customer, MIN(facts.at_ms) AS entered_at,
         MAX(CASE WHEN facts.kind = 'held_out' THEN 1 ELSE 0 END) AS held_out,
         MAX(CASE WHEN facts.reason = 'unmeasured' THEN 1 ELSE 0 END) AS unmeasured
  FROM facts CROSS JOIN asked
  WHERE facts.kind IN ('entered', 'held_out') AND facts.journey = asked.journey AND facts.at_ms <= asked.until
  GROUP BY facts.enrollment
),
ranked AS (
  SELECT passages.*,
         ROW_NUMBER() OVER (PARTITION BY passages.customer ORDER BY passages.entered_at, passages.enrollment) AS nth
  FROM passages
),
population AS (
  SELECT ranked.customer, ranked.entered_at,
         CASE WHEN ranked.held_out = 1 THEN 'holdout' ELSE 'treated' END AS arm
  FROM ranked CROSS JOIN asked
  WHERE ranked.nth = 1 AND ranked.unmeasured = 0 AND ranked.entered_at >= asked.since
    AND ranked.entered_at + asked.closes_after <= asked.until
),
harms AS (
  SELECT facts.customer, facts.at_ms AS done_at,
         CASE WHEN facts.kind = 'complained' THEN 'complained'
              WHEN facts.kind = 'task' THEN 'escalated'
              ELSE 'unsubscribed' END AS harm
  FROM facts
  WHERE facts.kind = 'complained'
     OR (facts.kind = 'task' AND facts.change IN ('escalated', 'escalated to the manager'))
     OR (facts.kind = 'consent' AND facts.status IN ('denied', 'revoked'))
     OR (facts.kind = 'suppression' AND facts.status = 'suppressed' AND facts.reason IN ('stop', 'unsubscribe'))
)
SELECT population.arm, harms.harm, COUNT(DISTINCT population.customer) AS customers
FROM population
CROSS JOIN asked
JOIN harms ON harms.customer = population.customer
WHERE harms.done_at >= population.entered_at AND harms.done_at <= population.entered_at + asked.closes_after
GROUP BY population.arm, harms.harm
ORDER BY population.arm, harms.harm
