"""Cairn: one profile per customer, journeys as data, messages that can be explained."""
