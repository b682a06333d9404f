"""Vendors' folders (cairn.adapters.sources): their samples, their check, and the start of a new one."""
