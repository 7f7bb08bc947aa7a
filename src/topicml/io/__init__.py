"""Files in and out: sources, readers, writers, compression."""
