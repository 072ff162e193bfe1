"""Certificates: read from files, checked, and taken up again when the files are renewed."""
