"""Benchmarks: `make bench`. They print figures and judge nothing; the machine decides them."""
