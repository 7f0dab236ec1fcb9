"""Measurements of time and size; each writes a file under results."""
