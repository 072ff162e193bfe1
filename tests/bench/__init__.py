"""Benchmarks: figures as ratios, measured side by side in one run. A time never decides a test."""
