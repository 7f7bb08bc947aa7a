"""From labels to a fitted model, and how good it is."""
