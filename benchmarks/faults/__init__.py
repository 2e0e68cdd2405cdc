"""Faults on purpose, and the state of runs after them."""
