"""What the gateway does when it, or a service, cannot do all that is asked."""
