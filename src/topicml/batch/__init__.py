"""News dumps: gigabytes in, one record out for each record in, nothing lost."""

from topicml.batch.arrow import tag_batch, tag_schema
from topicml.batch.records import Fields

__all__ = ["Fields", "tag_batch", "tag_schema"]
