"""Drawn letters, invoices and receipts with the truth about them: what reading and searching are measured on."""
