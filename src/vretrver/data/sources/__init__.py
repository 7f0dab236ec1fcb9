"""Corpora that people have: a folder of pictures and documents, a table, a candidate pool."""
