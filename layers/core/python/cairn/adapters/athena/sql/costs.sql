-- What a journey has cost, or all of them (`*`): its messages by channel and country, with the parts of text messages.
WITH asked AS (
  SELECT CAST(? AS VARCHAR) AS journey, CAST(? AS BIGINT) AS since, CAST(? AS BIGINT) AS until
),
sent AS (
  SELECT facts.message, MIN(facts.channel) AS channel, MIN(COALESCE(facts.country, '')) AS country,
         MAX(COALESCE(facts.parts, 0)) AS parts
  FROM facts CROSS JOIN asked
  WHERE facts.kind = 'sent' AND asked.journey IN (facts.journey, '*')
    AND facts.at_ms >= asked.since AND facts.at_ms <= asked.until
  GROUP BY facts.message
)
SELECT channel, country, COUNT(*) AS messages, SUM(parts) AS parts
FROM sent
GROUP BY channel, country
ORDER BY channel, country
