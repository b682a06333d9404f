"""Preflight: a journey tried on made-up customers before it meets real ones (docs/journeys.md, Preflight)."""
