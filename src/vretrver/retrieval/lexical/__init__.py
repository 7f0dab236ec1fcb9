"""Words of items, searched: tokens, an index of them, and the line of an item that a query matches."""
