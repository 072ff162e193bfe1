"""Rendered files to the disk: everything or nothing, and nothing that somebody else wrote."""
