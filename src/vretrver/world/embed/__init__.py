"""Contrastive training of an encoder on the drawn catalogue, with sentence-transformers' trainer and loss."""
