"""The label scheme as the page shows it: topics with their keys, definitions and cases."""

from __future__ import annotations

from typing import Any

from topicml.taxonomy import Taxonomy

KEYS = "123456789abcdfghilmopqrtvwxyz"
"""Keys of topics, in their order: figures, then letters that mean nothing else on the page."""


def scheme_fields(taxonomy: Taxonomy) -> dict[str, Any]:
    """Return a scheme as plain values."""
    return {
        "name": taxonomy.name,
        "title": taxonomy.title or taxonomy.name,
        "version": taxonomy.version,
        "introduction": taxonomy.introduction.strip(),
        "rules": list(taxonomy.rules),
        "is_multiclass": taxonomy.scheme.is_multiclass,
        "language": taxonomy.scheme.language,
        "topics": [
            {
                "id": topic.id,
                "name": topic.name,
                "key": KEYS[number] if number < len(KEYS) else "",
                "definition": topic.definition,
                "excludes": topic.excludes,
                "settled": list(topic.settled),
                "cases": [case.text for case in taxonomy.cases if topic.id in case.topics],
                "near": [case.text for case in taxonomy.cases if topic.id in case.near],
            }
            for number, topic in enumerate(taxonomy.topics)
        ],
    }
