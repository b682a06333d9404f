"""Journeys as pictures: a graph of a checked journey, drawn as Mermaid or SVG. Never runs in a function."""
