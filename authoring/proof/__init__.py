"""The proof of a journey before it runs: its most messages, its longest duration, its cost (docs/journeys.md).

Every way out of a step may be taken, whatever the customer's data says. The step's time counts, not the sender's: legal
hours, caps and pauses only move a message. Days have 24 hours.
"""
