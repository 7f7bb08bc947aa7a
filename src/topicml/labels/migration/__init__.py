"""Changes of a label scheme as files: planned, applied to all that names its topics, undone."""
