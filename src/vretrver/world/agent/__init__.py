"""The small agent: what it is taught, which words of it count more, and the run that teaches it."""
