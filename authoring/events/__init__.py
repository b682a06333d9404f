"""The events of the shipped sources, declared from their mappings and samples. `python -m authoring.events` does it."""
