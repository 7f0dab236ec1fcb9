"""Experiments on the agent. Above evaluation, agent and training; nothing but commands imports them."""
