"""Text that stands in files: the text layer of documents, and what a reader sees on pictures and scans."""
