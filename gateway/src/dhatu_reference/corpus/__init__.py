"""Collects documents and searches them: spec/services/corpus.yaml."""
