"""A local page to read and correct in, and the same over REST."""
