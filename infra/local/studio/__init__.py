"""The console over the local deployment, with what a laptop alone has: a clock to move, samples to post, stories."""
