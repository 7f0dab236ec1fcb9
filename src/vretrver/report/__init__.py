"""The evidence report: a page that shows what was looked at before the order was made."""
