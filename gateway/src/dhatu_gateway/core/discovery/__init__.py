"""Finds the endpoints of services, and keeps the last good ones while nobody can say better."""
