"""Which endpoint takes the next request: `choice` says who may be picked, a balancer picks one of them."""
