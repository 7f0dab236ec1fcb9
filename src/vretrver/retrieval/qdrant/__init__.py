"""Vectors in a Qdrant collection: the way past one machine, behind the protocol of every other index."""
