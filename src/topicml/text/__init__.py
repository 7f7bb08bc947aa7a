"""Bytes to text, and text to sentences with offsets."""
