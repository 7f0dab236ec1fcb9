"""Checks of an installation, a model folder, an endpoint and an index: what is wrong, each in one sentence."""
