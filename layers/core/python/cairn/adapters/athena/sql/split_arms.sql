-- The customers of a journey by the arm of each split: how many got it, and of those whose window has closed since, how
-- many reached the goal, what it was worth, and its square. Who has had two arms of one split counts for none.
WITH asked AS (
  SELECT CAST(? AS VARCHAR) AS journey, CAST(? AS BIGINT) AS since, CAST(? AS BIGINT) AS until,
         CAST(? AS BIGINT) AS closes_after
),
arms AS (
  SELECT facts.customer, facts.step, MIN(facts.arm) AS arm, MIN(facts.enrollment) AS enrollment,
         MIN(facts.at_ms) AS drawn_at, COUNT(DISTINCT facts.arm) AS several
  FROM facts CROSS JOIN asked
  WHERE facts.kind = 'split' AND facts.journey = asked.journey AND facts.at_ms >= asked.since
    AND facts.at_ms <= asked.until
  GROUP BY facts.customer, facts.step
),
goals AS (
  SELECT facts.enrollment, MAX(CAST(COALESCE(facts.value, 0) AS DOUBLE)) AS value
  FROM facts CROSS JOIN asked
  WHERE facts.kind = 'goal_reached' AND facts.journey = asked.journey AND facts.at_ms <= asked.until
  GROUP BY facts.enrollment
),
counted AS (
  SELECT arms.step, arms.arm, COALESCE(goals.value, 0) AS value,
         CASE WHEN arms.drawn_at + asked.closes_after <= asked.until THEN 1 ELSE 0 END AS closed,
         CASE WHEN goals.enrollment IS NULL THEN 0 ELSE 1 END AS reached
  FROM arms CROSS JOIN asked
  LEFT JOIN goals ON goals.enrollment = arms.enrollment
  WHERE arms.several = 1
)
SELECT step, arm, COUNT(*) AS entered, SUM(closed) AS customers, SUM(closed * reached) AS converted,
       SUM(closed * value) AS value, SUM(closed * value * value) AS value_squared
FROM counted
GROUP BY step, arm
ORDER BY step, arm
