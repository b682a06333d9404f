"""Nouns and rules. Nothing here reads a clock, a random number, a network or an environment."""
