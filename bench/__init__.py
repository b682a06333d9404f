"""Measures the budgets of cost and speed: `python -m bench`."""
