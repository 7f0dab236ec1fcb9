"""A policy that needs no model: it reads what candidates say and compares it, fact by fact, with what is asked."""
