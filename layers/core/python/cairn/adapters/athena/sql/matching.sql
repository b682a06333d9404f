-- Of each source, the events that reached a customer, and what was accepted and reached none. `matched_percent` is the
-- identity-match rate: what has no rule is no event.
WITH asked AS (SELECT CAST(? AS BIGINT) AS since, CAST(? AS BIGINT) AS until),
seen AS (
  SELECT facts.id, MIN(facts.source) AS source, MIN(facts.kind) AS kind, MIN(COALESCE(facts.reason, '')) AS reason,
         MAX(COALESCE(facts.number, 1)) AS number
  FROM facts CROSS JOIN asked
  WHERE facts.kind IN ('event', 'unmatched') AND facts.at_ms >= asked.since AND facts.at_ms <= asked.until
  GROUP BY facts.id
)
SELECT source, SUM(CASE WHEN kind = 'event' THEN 1 ELSE 0 END) AS matched,
       SUM(CASE WHEN kind = 'unmatched' AND reason <> 'no_rule' THEN number ELSE 0 END) AS unmatched,
       SUM(CASE WHEN reason = 'no_rule' THEN number ELSE 0 END) AS without_rule,
       ROUND(100 * CAST(SUM(CASE WHEN kind = 'event' THEN 1 ELSE 0 END) AS DOUBLE)
             / NULLIF(SUM(CASE WHEN reason <> 'no_rule' THEN number ELSE 0 END), 0), 2) AS matched_percent
FROM seen
GROUP BY source
ORDER BY source
