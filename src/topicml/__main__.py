"""``python -m topicml``."""

from topicml.cli import main

if __name__ == "__main__":
    main()
