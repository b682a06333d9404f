"""Draws journeys."""
