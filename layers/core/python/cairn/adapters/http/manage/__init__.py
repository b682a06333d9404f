"""Operators' requests below /manage: each is read whole, done by one use case and answered as JSON."""
