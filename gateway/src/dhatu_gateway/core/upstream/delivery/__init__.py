"""From a request to its answer, over as many attempts as are allowed: breakers, retries, hedging."""
