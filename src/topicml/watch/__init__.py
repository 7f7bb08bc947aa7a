"""Articles as they arrive, in a folder or a feed."""
