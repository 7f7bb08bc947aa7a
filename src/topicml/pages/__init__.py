"""The look that all pages share, and how one becomes a single file."""
