"""What our own people ask over HTTP, below /manage: read whole, done by one use case, answered as JSON."""
