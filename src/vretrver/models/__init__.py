"""Open models on this machine: folders in hub layout, their processors and tokenizers, their forward passes."""
