"""A call as an HTTP request: parameters, bodies and where they come from."""
