"""Label records, the files they live in, their checks, and agreement between annotators."""
