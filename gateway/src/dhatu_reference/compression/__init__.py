"""Compresses, decompresses and measures text and bytes: spec/services/compression.yaml."""
