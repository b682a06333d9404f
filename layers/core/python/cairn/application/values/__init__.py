"""What ports take and give, by subject: a function starts with that of few of them."""
