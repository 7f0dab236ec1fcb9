"""The catalogue: a procedural product world in M-BEIR layout whose twins differ only in what a thumbnail destroys."""
