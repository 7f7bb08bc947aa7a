"""One module a format: bytes to documents or rejects."""
