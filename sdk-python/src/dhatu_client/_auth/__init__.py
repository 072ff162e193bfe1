"""Tokens that are obtained and renewed: what is traded for them, where, when, and by whom for all."""
