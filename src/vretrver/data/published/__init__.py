"""Readers of what others published: V-Retrver's training and evaluation files, LamRA's results."""
