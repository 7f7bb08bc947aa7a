"""Models on disk: the folder of one version, and the store of all of them."""

from topicml.models.folder import Model, open_model, verify_model
from topicml.models.promotion import promote_version, roll_back
from topicml.models.store import DEFAULT_MODEL, ModelStore, default_store

__all__ = [
    "DEFAULT_MODEL",
    "Model",
    "ModelStore",
    "default_store",
    "open_model",
    "promote_version",
    "roll_back",
    "verify_model",
]
