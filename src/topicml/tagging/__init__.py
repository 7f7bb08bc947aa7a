"""Probabilities to tags: thresholds, abstention and its reasons, articles, the output record."""
