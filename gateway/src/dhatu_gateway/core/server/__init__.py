"""The server side: connections of clients, their limits, and what is refused before it is a request."""
