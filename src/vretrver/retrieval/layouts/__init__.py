"""Encoders by layout: how a model's folder turns items into vectors, exactly as the model was trained to.

`templates` says what stands around an item, `rendering` makes ids of it, `backbone` runs the model, `encoder` and
`clip` are the encoders, `recipe` is what a folder trained here says of itself.
"""
