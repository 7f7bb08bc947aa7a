"""Sentences to probabilities: the scorer, its file, the reference scorer, the compiled kernel."""
