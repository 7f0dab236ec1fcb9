"""The supervised cold start: a model learns from trajectories what the assistant wrote, and nothing else."""
