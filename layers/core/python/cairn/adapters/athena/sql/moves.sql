-- How enrollments of a journey moved: by version, the steps that they left on the way (`via`), and where they came.
WITH asked AS (
  SELECT CAST(? AS VARCHAR) AS journey, CAST(? AS BIGINT) AS since, CAST(? AS BIGINT) AS until
)
SELECT facts.version, facts.kind, COALESCE(facts.step, '') AS step, COALESCE(facts.via, '') AS via,
       COUNT(DISTINCT facts.id) AS moves
FROM facts CROSS JOIN asked
WHERE facts.journey = asked.journey AND facts.at_ms >= asked.since AND facts.at_ms <= asked.until
  AND ((facts.kind = 'waiting' AND facts.via <> '') OR (facts.kind = 'ended' AND (facts.via <> '' OR facts.step <> '')))
GROUP BY facts.version, facts.kind, COALESCE(facts.step, ''), COALESCE(facts.via, '')
ORDER BY facts.version, facts.kind, step, via
