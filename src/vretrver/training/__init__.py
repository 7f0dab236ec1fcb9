"""How the models learn: perception, embedding, the supervised cold start. Data and thin commands, no framework."""
