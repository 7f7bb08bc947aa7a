"""News dumps: gigabytes in, one record out for each record in, nothing lost."""

from topicml.batch.engines.arrow import tag_batch, tag_schema
from topicml.io.records import Fields

__all__ = ["Fields", "tag_batch", "tag_schema"]
