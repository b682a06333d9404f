-- The enrollments of a journey by arm, for goals per enrollment: sums over the customers of how many enrollments each
-- had, how many of these reached the goal, and their squares. Of a customer's enrollments that begin within one window,
-- counted from the first, the first counts: the holdout cannot enter again before its window is over. `versions` are
-- those that are measured, between spaces.
WITH asked AS (
  SELECT CAST(? AS VARCHAR) AS journey, CAST(? AS BIGINT) AS since, CAST(? AS BIGINT) AS until,
         CAST(? AS BIGINT) AS closes_after, CAST(? AS VARCHAR) AS versions
),
passages AS (
  SELECT facts.enrollment, MIN(facts.customer) AS customer, MIN(facts.at_ms) AS entered_at,
         MAX(CASE WHEN facts.kind = 'held_out' THEN 1 ELSE 0 END) AS held_out,
         MAX(CASE WHEN facts.reason = 'unmeasured' THEN 1 ELSE 0 END) AS unmeasured
  FROM facts CROSS JOIN asked
  WHERE facts.kind IN ('entered', 'held_out') AND facts.journey = asked.journey AND facts.at_ms >= asked.since
    AND facts.at_ms <= asked.until AND STRPOS(asked.versions, ' ' || facts.version || ' ') > 0
  GROUP BY facts.enrollment
),
merged AS (
  SELECT DISTINCT facts.enrollment FROM facts CROSS JOIN asked
  WHERE facts.kind = 'ended' AND facts.journey = asked.journey AND facts.outcome = 'merged'
),
goals AS (
  SELECT DISTINCT facts.enrollment FROM facts CROSS JOIN asked
  WHERE facts.kind = 'goal_reached' AND facts.journey = asked.journey AND facts.at_ms <= asked.until
),
begun AS (
  SELECT passages.customer, passages.enrollment, passages.entered_at, passages.held_out,
         MIN(passages.entered_at) OVER (PARTITION BY passages.customer) AS first_at
  FROM passages LEFT JOIN merged ON merged.enrollment = passages.enrollment
  WHERE passages.unmeasured = 0 AND merged.enrollment IS NULL
),
ranked AS (
  SELECT begun.customer, begun.enrollment, begun.entered_at, begun.held_out,
         ROW_NUMBER() OVER (
           PARTITION BY begun.customer, FLOOR((begun.entered_at - begun.first_at) / CAST(asked.closes_after AS DOUBLE))
           ORDER BY begun.entered_at, begun.enrollment
         ) AS nth
  FROM begun CROSS JOIN asked
),
customers AS (
  SELECT ranked.customer, MAX(ranked.held_out) AS held_out, CAST(COUNT(*) AS BIGINT) AS enrollments,
         CAST(COUNT(goals.enrollment) AS BIGINT) AS converted
  FROM ranked CROSS JOIN asked LEFT JOIN goals ON goals.enrollment = ranked.enrollment
  WHERE ranked.nth = 1 AND ranked.entered_at + asked.closes_after <= asked.until
  GROUP BY ranked.customer
)
SELECT CASE WHEN held_out = 1 THEN 'holdout' ELSE 'treated' END AS arm, COUNT(*) AS customers,
       SUM(enrollments) AS enrollments, SUM(converted) AS converted, SUM(enrollments * enrollments) AS enrollments_squared,
       SUM(converted * converted) AS converted_squared, SUM(converted * enrollments) AS converted_times_enrollments
FROM customers
GROUP BY 1
ORDER BY 1
