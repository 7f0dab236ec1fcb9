"""The agent: what it is shown, what it may ask for, the loop over one window, and the record of it."""
