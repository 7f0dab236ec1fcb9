"""A small folder of files to try the commands on: documents, a shop's table with pictures, photos."""
