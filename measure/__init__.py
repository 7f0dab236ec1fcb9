"""What is claimed, measured: each module that is run writes a result file, which documents and their tests read."""
