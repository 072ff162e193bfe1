"""Requests held against the document: parameters, bodies, and what is said of those that do not fit."""
