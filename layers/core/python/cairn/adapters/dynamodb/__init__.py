"""The single table. `items` says what stands in it, `codec` how the domain is written there."""
