"""What comes back: values, problems, bytes and series of items, read as they arrive."""
