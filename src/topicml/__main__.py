"""``topicml``, and ``python -m topicml``."""

from topicml.stopping import end_at_once


def main() -> None:
    """Run the command, and end quietly where a signal asks to before it has begun."""
    end_at_once()
    from topicml.cli import main as run

    run()


if __name__ == "__main__":
    main()
