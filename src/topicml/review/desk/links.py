"""A page of the web, fetched once, as a source that can be read."""

from __future__ import annotations

from topicml.errors import RemoteError
from topicml.io.sources import Source, web_source
from topicml.io.web import PrivateAddressError, fetch_page


def fetch(url: str) -> Source:
    """Get what is at an address; addresses of this machine and its network are refused.

    Raises:
        TopicmlError: It is no such address, is refused, or cannot be got.
    """
    try:
        return web_source(fetch_page(url))
    except PrivateAddressError as err:
        hint = "Save the page, and open the file."
        raise RemoteError(err.what, where=err.where, hint=hint) from err
