"""Exchange of labels with annotation tools: a module a format, and one table of them."""
