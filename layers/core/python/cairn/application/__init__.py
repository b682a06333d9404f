"""Use cases: load, decide, commit. What they need from outside is named in `ports`."""
