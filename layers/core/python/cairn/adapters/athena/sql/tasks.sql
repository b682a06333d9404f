-- Tasks by queue: how many, how soon somebody answered, how many came late or went to another member, and the share
-- of those that were done which was done in time.
WITH asked AS (SELECT CAST(? AS BIGINT) AS since, CAST(? AS BIGINT) AS until),
tasks AS (
  SELECT facts.task, MIN(facts.queue) AS queue,
         MIN(CASE WHEN facts.change = 'opened' THEN facts.at_ms END) AS opened_at,
         MIN(CASE WHEN facts.change IN ('claimed', 'noted', 'done', 'again', 'called_back') THEN facts.at_ms END)
           AS answered_at,
         MAX(CASE WHEN facts.change = 'done' THEN facts.at_ms END) AS done_at,
         MAX(CASE WHEN facts.change = 'withdrawn' THEN 1 ELSE 0 END) AS withdrawn,
         MAX(CASE WHEN facts.change IN ('overdue', 'reassigned', 'escalated', 'escalated to the manager',
                                        'overdue at the top') THEN 1 ELSE 0 END) AS late,
         MAX(CASE WHEN facts.change IN ('escalated', 'escalated to the manager') THEN 1 ELSE 0 END) AS escalated
  FROM facts CROSS JOIN asked
  WHERE facts.kind = 'task' AND facts.at_ms <= asked.until
  GROUP BY facts.task
)
SELECT tasks.queue, COUNT(*) AS opened, COUNT(tasks.done_at) AS done, SUM(tasks.withdrawn) AS withdrawn,
       SUM(tasks.late) AS late, SUM(tasks.escalated) AS escalated,
       CAST(ROUND(APPROX_PERCENTILE(tasks.answered_at - tasks.opened_at, 0.5)) AS BIGINT) AS to_answer_ms,
       CAST(ROUND(APPROX_PERCENTILE(tasks.done_at - tasks.opened_at, 0.5)) AS BIGINT) AS to_done_ms,
       CAST(ROUND(APPROX_PERCENTILE(tasks.done_at - tasks.opened_at, 0.95)) AS BIGINT) AS to_done_p95_ms,
       ROUND(100 * CAST(SUM(CASE WHEN tasks.late = 0 AND tasks.done_at IS NOT NULL THEN 1 ELSE 0 END) AS DOUBLE)
             / NULLIF(COUNT(tasks.done_at), 0), 2) AS in_time_percent
FROM tasks CROSS JOIN asked
WHERE tasks.opened_at >= asked.since
GROUP BY tasks.queue
ORDER BY tasks.queue
