"""What looks are worth: the agent beside itself with better, worse and no looks, on a catalogue it never saw."""
