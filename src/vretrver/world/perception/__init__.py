"""Perception: the small vision tower learns to see before any language is trained (tiny models only)."""
