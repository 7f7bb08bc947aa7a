"""PDF: characters to words, lines, columns and paragraphs."""
