-- What a journey, or all of them (`*`), asked of people: tasks by queue, and the minutes from claim to end of those that
-- were claimed.
WITH asked AS (
  SELECT CAST(? AS VARCHAR) AS journey, CAST(? AS BIGINT) AS since, CAST(? AS BIGINT) AS until
),
tasks AS (
  SELECT facts.task, MIN(facts.queue) AS queue,
         MIN(CASE WHEN facts.change = 'opened' THEN facts.at_ms END) AS opened_at,
         MIN(CASE WHEN facts.change = 'claimed' THEN facts.at_ms END) AS claimed_at,
         MAX(CASE WHEN facts.change = 'done' THEN facts.at_ms END) AS done_at
  FROM facts CROSS JOIN asked
  WHERE facts.kind = 'task' AND asked.journey IN (facts.journey, '*') AND facts.at_ms <= asked.until
  GROUP BY facts.task
)
SELECT tasks.queue, COUNT(*) AS tasks, COUNT(tasks.done_at) AS done,
       SUM(CASE WHEN tasks.done_at >= tasks.claimed_at
                THEN CAST(FLOOR((tasks.done_at - tasks.claimed_at) / 60000.0) AS BIGINT) ELSE 0 END) AS minutes
FROM tasks CROSS JOIN asked
WHERE tasks.opened_at >= asked.since
GROUP BY tasks.queue
ORDER BY tasks.queue
