-- How long customers take to the goal, in whole days, by arm.
WITH asked AS (
  SELECT CAST(? AS VARCHAR) AS journey, CAST(? AS BIGINT) AS since, CAST(? AS BIGINT) AS until
),
reached AS (
  SELECT facts.enrollment,
         MIN(CASE WHEN facts.kind <> 'goal_reached' THEN facts.at_ms END) AS entered_at,
         MIN(CASE WHEN facts.kind = 'goal_reached' THEN facts.at_ms END) AS reached_at,
         MAX(CASE WHEN facts.kind = 'held_out' THEN 1 ELSE 0 END) AS held_out
  FROM facts CROSS JOIN asked
  WHERE facts.kind IN ('entered', 'held_out', 'goal_reached') AND facts.journey = asked.journey
    AND facts.at_ms <= asked.until
  GROUP BY facts.enrollment
)
SELECT CASE WHEN reached.held_out = 1 THEN 'holdout' ELSE 'treated' END AS arm,
       CAST(FLOOR((reached.reached_at - reached.entered_at) / 86400000.0) AS BIGINT) AS days, COUNT(*) AS customers
FROM reached CROSS JOIN asked
WHERE reached.reached_at IS NOT NULL AND reached.entered_at >= asked.since
GROUP BY 1, 2
ORDER BY 1, 2
