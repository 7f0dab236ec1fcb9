"""Encoders by layout: how a model turns items into vectors, exactly as it was trained to.

`templates` holds the text around an item, `rendering` turns items into ids, `backbone` runs the model, `encoder` and
`clip` are the encoders, `recipe` reads how a folder trained here was trained.
"""
