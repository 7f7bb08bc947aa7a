"""Label records, their checks, and agreement between annotators."""
