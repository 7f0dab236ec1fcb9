"""The index directory: items in SQLite, vectors in one append-only file, exact search over its memory map."""
