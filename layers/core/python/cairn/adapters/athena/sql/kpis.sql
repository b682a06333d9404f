-- One stage of the business: the customers of its events, how many of them came to the next stage afterwards, and how
-- long that took. The events of each stage are given as one text, between spaces.
WITH asked AS (
  SELECT CAST(? AS VARCHAR) AS own, CAST(? AS VARCHAR) AS following, CAST(? AS BIGINT) AS since,
         CAST(? AS BIGINT) AS until
),
seen AS (
  SELECT facts.id, MIN(facts.customer) AS customer, MIN(facts.at_ms) AS at_ms,
         MAX(STRPOS(asked.own, ' ' || facts.event || ' ')) AS own,
         MAX(STRPOS(asked.following, ' ' || facts.event || ' ')) AS following
  FROM facts CROSS JOIN asked
  WHERE facts.kind = 'event' AND facts.at_ms >= asked.since AND facts.at_ms <= asked.until
    AND STRPOS(asked.own || asked.following, ' ' || facts.event || ' ') > 0
  GROUP BY facts.id
),
came AS (
  SELECT seen.customer, MIN(seen.at_ms) AS came_at, COUNT(*) AS events FROM seen WHERE seen.own > 0
  GROUP BY seen.customer
),
went_on AS (
  SELECT came.customer, MIN(seen.at_ms - came.came_at) AS after_ms
  FROM came JOIN seen ON seen.customer = came.customer
  WHERE seen.following > 0 AND seen.at_ms >= came.came_at
  GROUP BY came.customer
)
SELECT COUNT(*) AS customers, COALESCE(SUM(came.events), 0) AS events, COUNT(went_on.customer) AS went_on,
       ROUND(100 * CAST(COUNT(went_on.customer) AS DOUBLE) / NULLIF(COUNT(*), 0), 2) AS went_on_percent,
       CAST(ROUND(APPROX_PERCENTILE(went_on.after_ms, 0.5)) AS BIGINT) AS median_ms
FROM came LEFT JOIN went_on ON went_on.customer = came.customer
