"""The deployment: two CDK stacks, read from top to bottom in `app`, `data_stack` and `engine_stack`."""
