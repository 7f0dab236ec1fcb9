"""The demonstration: a drawn catalogue, the coarse stage over it, and the agent with and without its evidence."""
