"""Benchmarks: `make bench`. They print figures, and whether the required ones are met on this machine."""
