-- The customers of a journey by version, arm and the day (since 1970) on which their window closed, -1 where it has
-- not: how many entered, and of those whose window has closed, how many reached the goal, what it was worth, and its
-- square. A customer counts once, by the first passage.
WITH asked AS (
  SELECT CAST(? AS VARCHAR) AS journey, CAST(? AS BIGINT) AS since, CAST(? AS BIGINT) AS until,
         CAST(? AS BIGINT) AS closes_after
),
passages AS (
  SELECT facts.enrollment, MIN(facts.customer) AS customer, MIN(facts.at_ms) AS entered_at,
         MIN(facts.version) AS version, MAX(CASE WHEN facts.kind = 'held_out' THEN 1 ELSE 0 END) AS held_out,
         MAX(CASE WHEN facts.reason = 'unmeasured' THEN 1 ELSE 0 END) AS unmeasured
  FROM facts CROSS JOIN asked
  WHERE facts.kind IN ('entered', 'held_out') AND facts.journey = asked.journey AND facts.at_ms <= asked.until
  GROUP BY facts.enrollment
),
merged AS (
  SELECT DISTINCT facts.enrollment FROM facts CROSS JOIN asked
  WHERE facts.kind = 'ended' AND facts.journey = asked.journey AND facts.outcome = 'merged'
),
reached AS (
  SELECT facts.enrollment, facts.id, MAX(facts.value) AS value, MAX(facts.currency) AS currency
  FROM facts CROSS JOIN asked
  WHERE facts.kind = 'goal_reached' AND facts.journey = asked.journey AND facts.at_ms <= asked.until
  GROUP BY facts.enrollment, facts.id
),
goals AS (
  SELECT reached.enrollment, SUM(reached.value) AS value, MIN(reached.currency) AS currency,
         MAX(reached.currency) AS other_currency
  FROM reached GROUP BY reached.enrollment
),
ranked AS (
  SELECT passages.enrollment, passages.version, passages.entered_at, passages.held_out, passages.unmeasured,
         ROW_NUMBER() OVER (PARTITION BY passages.customer ORDER BY passages.entered_at, passages.enrollment) AS nth
  FROM passages
),
counted AS (
  SELECT ranked.version,
         CASE WHEN ranked.held_out = 1 THEN 'holdout' ELSE 'treated' END AS arm,
         ranked.entered_at,
         CASE WHEN ranked.entered_at + asked.closes_after <= asked.until THEN 1 ELSE 0 END AS closed,
         CASE WHEN ranked.entered_at + asked.closes_after <= asked.until
              THEN CAST(FLOOR((ranked.entered_at + asked.closes_after) / 86400000.0) AS BIGINT) ELSE -1 END AS day,
         CASE WHEN goals.enrollment IS NULL THEN 0 ELSE 1 END AS reached,
         CAST(COALESCE(goals.value, 0) AS DOUBLE) AS value,
         goals.currency, goals.other_currency
  FROM ranked
  CROSS JOIN asked
  LEFT JOIN goals ON goals.enrollment = ranked.enrollment
  LEFT JOIN merged ON merged.enrollment = ranked.enrollment
  WHERE ranked.nth = 1 AND ranked.unmeasured = 0 AND merged.enrollment IS NULL AND ranked.entered_at >= asked.since
)
SELECT version, arm, day, COUNT(*) AS entered, SUM(closed) AS customers, SUM(closed * reached) AS converted,
       SUM(closed * value) AS value, SUM(closed * value * value) AS value_squared, MIN(entered_at) AS first_at,
       MAX(entered_at) AS last_at, MAX(currency) AS currency,
       COUNT(DISTINCT currency) + MAX(CASE WHEN currency <> other_currency THEN 1 ELSE 0 END) AS currencies
FROM counted
GROUP BY version, arm, day
ORDER BY version, arm, day
