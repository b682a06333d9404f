"""The functions: what starts each, what it is told, and what it may do."""
