-- What became of messages, by channel, provider, country and journey. A message that was clicked was also delivered and
-- opened, whatever its provider reported. `failed_percent` is of those that were tried.
WITH asked AS (SELECT CAST(? AS BIGINT) AS since, CAST(? AS BIGINT) AS until),
messages AS (
  SELECT facts.message, MIN(facts.channel) AS channel, MAX(COALESCE(facts.provider, '')) AS provider,
         MAX(COALESCE(facts.country, '')) AS country, MIN(facts.journey) AS journey,
         MAX(CASE WHEN facts.kind = 'sent' THEN 1 ELSE 0 END) AS sent,
         MAX(CASE WHEN facts.kind IN ('delivered', 'opened', 'clicked', 'complained') THEN 1 ELSE 0 END) AS delivered,
         MAX(CASE WHEN facts.kind IN ('opened', 'clicked') THEN 1 ELSE 0 END) AS opened,
         MAX(CASE WHEN facts.kind = 'clicked' THEN 1 ELSE 0 END) AS clicked,
         MAX(CASE WHEN facts.kind IN ('failed', 'bounced') THEN 1 ELSE 0 END) AS failed,
         MAX(CASE WHEN facts.kind = 'complained' THEN 1 ELSE 0 END) AS complained,
         MAX(CASE WHEN facts.kind = 'suppressed' THEN 1 ELSE 0 END) AS suppressed
  FROM facts CROSS JOIN asked
  WHERE facts.message <> '' AND facts.kind <> 'deferred' AND facts.at_ms >= asked.since AND facts.at_ms <= asked.until
  GROUP BY facts.message
)
SELECT channel, provider, country, journey, SUM(sent) AS sent, SUM(delivered) AS delivered,
       ROUND(100 * CAST(SUM(delivered) AS DOUBLE) / NULLIF(SUM(sent), 0), 2) AS delivered_percent,
       SUM(opened) AS opened, SUM(clicked) AS clicked, SUM(failed) AS failed,
       ROUND(100 * CAST(SUM(failed) AS DOUBLE) / NULLIF(SUM(CASE WHEN sent + failed > 0 THEN 1 ELSE 0 END), 0), 2)
         AS failed_percent,
       SUM(complained) AS complained, SUM(suppressed) AS suppressed
FROM messages
GROUP BY channel, provider, country, journey
ORDER BY channel, provider, country, journey
