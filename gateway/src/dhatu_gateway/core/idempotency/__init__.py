"""One effect per idempotency key: the first answer is kept, and given again to whoever repeats it."""
