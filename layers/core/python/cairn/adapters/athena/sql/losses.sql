-- What journeys lost by missing or wrong data: who could not enter, and messages that had nowhere to go, no consent, or a
-- gap in their text. Not what a rule or the customer wanted, such as a cap or an opt-out.
WITH asked AS (SELECT CAST(? AS BIGINT) AS since, CAST(? AS BIGINT) AS until)
SELECT facts.journey, facts.kind, COALESCE(facts.reason, '') AS reason, COUNT(DISTINCT facts.customer) AS customers,
       COUNT(DISTINCT COALESCE(facts.message, facts.id)) AS times
FROM facts CROSS JOIN asked
WHERE facts.at_ms >= asked.since AND facts.at_ms <= asked.until AND facts.journey <> ''
  AND (facts.kind IN ('failed', 'bounced')
    OR (facts.kind = 'not_entered' AND facts.reason = 'no key')
    OR (facts.kind = 'suppressed'
      AND facts.reason IN ('no_address', 'suppressed_address', 'no_consent', 'unconfirmed', 'no_legal_hour')))
GROUP BY facts.journey, facts.kind, COALESCE(facts.reason, '')
ORDER BY customers DESC, facts.journey, facts.kind, reason
