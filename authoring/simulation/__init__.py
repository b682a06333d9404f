"""Tries a journey on one made-up customer by the pure engine: no AWS, no clock. Never runs in a function."""
