"""Preflight: tests a journey on made-up customers before real ones (docs/journeys.md, Preflight)."""
