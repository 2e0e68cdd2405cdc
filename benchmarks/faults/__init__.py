"""Faults on purpose, and what becomes of runs."""
