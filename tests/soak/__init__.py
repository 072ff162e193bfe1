"""Runs that take minutes, and print figures."""
