"""The one place where an agent and a corpus are put together; commands, demonstration and doctor call it."""
