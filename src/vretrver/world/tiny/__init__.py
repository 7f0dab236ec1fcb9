"""The small models that ship with the package: their tokenizer and sizes, in the real checkpoints' architecture."""
