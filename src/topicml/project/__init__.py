"""A project: a folder with a label scheme, labels and models of one's own."""
