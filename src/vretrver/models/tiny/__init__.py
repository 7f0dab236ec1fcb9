"""The small models that ship with the package: their tokenizer and their sizes, in the real checkpoints' architecture."""
