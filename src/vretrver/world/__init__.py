"""The drawn world: a catalogue drawn from a seed, the small models that know it, and what is measured on it.

General code does not import it; the command line does, where a command is about the world.
"""
