"""Reading, writing and drawing the data that retrieval is trained and judged on."""
