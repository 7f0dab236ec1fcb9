"""Open models on this machine: folders in hub layout, what their processors and tokenizers do, and their forward passes."""
