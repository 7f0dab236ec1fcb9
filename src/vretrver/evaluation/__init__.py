"""Metrics over runs and relevance judgements."""
