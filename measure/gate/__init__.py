"""The gate: a thumbnail of a catalogue picture destroys its detail and the native picture shows it.

Run `python -m measure gate`; README.md beside this file says what is shown and how. Not part of the package.
"""
