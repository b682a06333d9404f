-- How long statements of consent and suppression took to count here, in milliseconds from when the customer made them,
-- by source and status; and how many messages went out on the channel meanwhile, that a denial would have stopped.
WITH asked AS (SELECT CAST(? AS BIGINT) AS since, CAST(? AS BIGINT) AS until),
statements AS (
  SELECT facts.id, MIN(facts.source) AS source, MIN(facts.status) AS status, MIN(facts.customer) AS customer,
         MIN(facts.channel) AS channel, MIN(COALESCE(facts.purpose, '')) AS purpose, MIN(facts.at_ms) AS made_at,
         MIN(COALESCE(facts.lag_ms, 0)) AS lag
  FROM facts CROSS JOIN asked
  WHERE facts.kind IN ('consent', 'suppression') AND facts.at_ms >= asked.since AND facts.at_ms <= asked.until
  GROUP BY facts.id
),
meanwhile AS (
  SELECT statements.id, COUNT(DISTINCT facts.message) AS messages
  FROM statements JOIN facts ON facts.customer = statements.customer AND facts.channel = statements.channel
  WHERE facts.kind = 'sent' AND statements.status IN ('denied', 'suppressed')
    AND (statements.purpose IN ('', 'all') OR facts.purpose = statements.purpose)
    AND facts.at_ms > statements.made_at AND facts.at_ms <= statements.made_at + statements.lag
  GROUP BY statements.id
)
SELECT statements.source, statements.status, COUNT(*) AS statements,
       CAST(ROUND(APPROX_PERCENTILE(statements.lag, 0.5)) AS BIGINT) AS p50_ms,
       CAST(ROUND(APPROX_PERCENTILE(statements.lag, 0.95)) AS BIGINT) AS p95_ms,
       CAST(ROUND(APPROX_PERCENTILE(statements.lag, 0.99)) AS BIGINT) AS p99_ms,
       MAX(statements.lag) AS longest_ms, COALESCE(SUM(meanwhile.messages), 0) AS messages_meanwhile
FROM statements LEFT JOIN meanwhile ON meanwhile.id = statements.id
GROUP BY statements.source, statements.status
ORDER BY statements.source, statements.status
