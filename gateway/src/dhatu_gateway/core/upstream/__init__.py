"""The way to the services: discovery, balancing, connections, streaming."""
