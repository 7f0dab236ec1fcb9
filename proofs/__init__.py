"""Long checks of what the documentation claims; each writes a result file under benchmarks/results."""
