"""One folder, one Lambda, one trigger."""
