"""Output records and tagged articles to bytes: one module a format, and what puts them together."""
