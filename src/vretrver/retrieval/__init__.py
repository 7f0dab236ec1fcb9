"""The coarse stage: encoders, vector indexes and the retriever."""
