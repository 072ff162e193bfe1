"""Stops calling what fails: for each service, and for each operation of it."""
