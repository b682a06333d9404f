"""What a journey is worth: treated customers against the holdout, by formulas alone. docs/measuring.md has them."""
