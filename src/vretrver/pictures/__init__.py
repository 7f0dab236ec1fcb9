"""Files of pictures: where their bytes lie, what formats they are, what pages and pixels they hold."""
