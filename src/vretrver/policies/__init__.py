"""Policies: what writes the agent's turns."""
