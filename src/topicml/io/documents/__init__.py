"""Documents of word processors and PDF to their text; each is called in a child process."""
