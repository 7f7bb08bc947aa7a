"""A fine-tuned language model: what teaches the linear one. Needs the extra ``neural``."""
