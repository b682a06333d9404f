-- The steps of a journey: how many enrollments came to each, and how long after they began. `ended` is the last row.
WITH asked AS (
  SELECT CAST(? AS VARCHAR) AS journey, CAST(? AS BIGINT) AS since, CAST(? AS BIGINT) AS until
),
entries AS (
  SELECT facts.enrollment, MIN(facts.at_ms) AS entered_at
  FROM facts CROSS JOIN asked
  WHERE facts.kind = 'entered' AND facts.journey = asked.journey
    AND facts.at_ms >= asked.since AND facts.at_ms <= asked.until
  GROUP BY facts.enrollment
),
reached AS (
  SELECT facts.enrollment,
         CASE WHEN facts.kind IN ('goal_reached', 'ended') THEN facts.kind ELSE facts.step END AS step,
         MIN(facts.at_ms) AS reached_at
  FROM facts CROSS JOIN asked
  WHERE facts.journey = asked.journey AND facts.at_ms <= asked.until
    AND (facts.step <> '' OR facts.kind IN ('goal_reached', 'ended'))
  GROUP BY facts.enrollment, CASE WHEN facts.kind IN ('goal_reached', 'ended') THEN facts.kind ELSE facts.step END
)
SELECT reached.step, COUNT(*) AS enrollments, MIN(reached.reached_at - entries.entered_at) AS soonest_ms,
       CAST(ROUND(APPROX_PERCENTILE(reached.reached_at - entries.entered_at, 0.5)) AS BIGINT) AS median_ms,
       CAST(ROUND(APPROX_PERCENTILE(reached.reached_at - entries.entered_at, 0.9)) AS BIGINT) AS p90_ms
FROM reached JOIN entries ON entries.enrollment = reached.enrollment
GROUP BY reached.step
ORDER BY MIN(CASE reached.step WHEN 'ended' THEN 2 WHEN 'goal_reached' THEN 1 ELSE 0 END), soonest_ms, reached.step
