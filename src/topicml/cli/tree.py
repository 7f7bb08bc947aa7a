"""The whole command tree as one object, for pages and shells that want to know all of it."""

from topicml.cli.app import make_app

app = make_app()
