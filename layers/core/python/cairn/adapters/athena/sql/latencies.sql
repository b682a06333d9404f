-- How long things take, in milliseconds: from what happened to its commit (`event`), from a decision to its message
-- (`sent`), and from what happened to the message that an entry sends at once (`event_to_message`). Of messages, what
-- took up to an hour: what waited longer waited for an hour of day, a cap or a person. History (backfill) has none.
WITH asked AS (SELECT CAST(? AS BIGINT) AS since, CAST(? AS BIGINT) AS until),
entries AS (
  SELECT facts.enrollment, MIN(facts.at_ms) AS entered_at, MIN(COALESCE(facts.lag_ms, 0)) AS lag
  FROM facts CROSS JOIN asked
  WHERE facts.kind = 'entered' AND facts.at_ms >= asked.since AND facts.at_ms <= asked.until
  GROUP BY facts.enrollment
),
messages AS (
  SELECT facts.message, MIN(facts.enrollment) AS enrollment, MIN(facts.at_ms) AS sent_at,
         MIN(COALESCE(facts.lag_ms, 0)) AS lag
  FROM facts CROSS JOIN asked
  WHERE facts.kind = 'sent' AND facts.at_ms >= asked.since AND facts.at_ms <= asked.until
  GROUP BY facts.message
),
events AS (
  SELECT facts.id, MIN(COALESCE(facts.lag_ms, 0)) AS lag
  FROM facts CROSS JOIN asked
  WHERE facts.kind = 'event' AND COALESCE(facts.reason, '') <> 'backfill' AND facts.at_ms >= asked.since
    AND facts.at_ms <= asked.until
  GROUP BY facts.id
),
measured AS (
  SELECT 'event' AS kind, events.lag FROM events
  UNION ALL
  SELECT 'sent' AS kind, messages.lag FROM messages WHERE messages.lag <= 3600000
  UNION ALL
  SELECT 'event_to_message' AS kind, messages.sent_at - entries.entered_at + entries.lag AS lag
  FROM messages JOIN entries ON entries.enrollment = messages.enrollment
  WHERE messages.lag <= 3600000 AND ABS(messages.sent_at - messages.lag - entries.entered_at) < 1000
)
SELECT kind, COUNT(*) AS facts, CAST(ROUND(APPROX_PERCENTILE(lag, 0.5)) AS BIGINT) AS p50_ms,
       CAST(ROUND(APPROX_PERCENTILE(lag, 0.95)) AS BIGINT) AS p95_ms,
       CAST(ROUND(APPROX_PERCENTILE(lag, 0.99)) AS BIGINT) AS p99_ms, MAX(lag) AS longest_ms
FROM measured
GROUP BY kind
ORDER BY kind
