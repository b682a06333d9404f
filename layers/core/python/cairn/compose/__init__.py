"""What each function is made of: one module a function. The only place that knows every adapter."""
