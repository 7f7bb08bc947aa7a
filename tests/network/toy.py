"""A language of a few dozen words, sentences of two topics in it, and an encoder for it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing
from transformers import MPNetConfig, MPNetModel

from topicml.models.folder import sha256_file
from topicml.network.base import Base
from topicml.network.encoder import TopicNetwork
from topicml.network.fine_tuning import Examples
from topicml.training.dataset import Dataset
from topicml.training.pool import Pool

TOPICS = ("cooking", "gardening")
_OF_TOPIC = (
    ("onions", "butter", "oven", "soup", "batter", "sauce"),
    ("roses", "seeds", "soil", "hedge", "bulbs", "mulch"),
)
_OF_NONE = (
    *("the", "a", "train", "was", "late", "and", "on", "friday"),
    *("nobody", "saw", "her", "brother", "near", "that", "river"),
)
_SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")  # in the order that MPNet expects
_WORDS = (*_SPECIAL, *_OF_TOPIC[0], *_OF_TOPIC[1], *_OF_NONE)


def sentence(draw: random.Random, topics: Sequence[int]) -> str:
    """One to five common words, with four of each topic among them."""
    words = draw.choices(_OF_NONE, k=draw.randint(1, 5) + 4 * (not topics))
    for topic in topics:
        words += draw.choices(_OF_TOPIC[topic], k=4)
    draw.shuffle(words)
    return " ".join(words)


def labelled(count: int, seed: int = 0) -> tuple[list[str], np.ndarray]:
    """Sentences, and n by T what they are about: one topic, the other, both, none in turn."""
    draw = random.Random(seed)  # noqa: S311
    topics = [((0,), (1,), (0, 1), ())[n % 4] for n in range(count)]
    Y = np.array([[t in own for t in range(len(TOPICS))] for own in topics], dtype=np.int8)
    return [sentence(draw, own) for own in topics], Y


def examples(count: int, seed: int = 0) -> Examples:
    texts, Y = labelled(count, seed)
    return Examples(texts, Y.astype(float), np.ones(count))


def dataset(count: int = 120, per_document: int = 3) -> Dataset:
    """Sentences of documents; the last sentence is the first once more."""
    texts, Y = labelled(count)
    texts[-1], Y[-1] = texts[0], Y[0]
    groups = [f"document-{n // per_document}" for n in range(count)]
    groups[-1] = groups[0]
    sources = ["authored" if n % 5 == 0 else "article" for n in range(count)]
    drawn = np.zeros(count, dtype=np.bool_)
    copies = np.arange(count) % (count - 1)
    return Dataset(TOPICS, tuple(texts), Y, np.array(groups), np.array(sources), drawn, copies)


def pool(count: int = 60) -> Pool:
    texts, _ = labelled(count, seed=1)
    return Pool(tuple(texts), tuple(f"unread-{n // 2}" for n in range(count)))


def make_base(folder: Path, layers: int = 2) -> Base:
    """Write an encoder with random weights; return it with the hashes of its files."""
    folder.mkdir()
    config = MPNetConfig(
        vocab_size=len(_WORDS),
        hidden_size=32,
        num_hidden_layers=layers,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=80,
        initializer_range=0.3,  # so that words differ
        bos_token_id=_SPECIAL.index("<s>"),
        pad_token_id=_SPECIAL.index("<pad>"),
        eos_token_id=_SPECIAL.index("</s>"),
    )
    config.save_pretrained(folder)
    torch.manual_seed(5)
    weights = MPNetModel(config, add_pooling_layer=False).state_dict()
    save_file({f"mpnet.{name}": value for name, value in weights.items()}, folder / WEIGHTS)
    tokenizer = Tokenizer(
        WordLevel({word: n for n, word in enumerate(_WORDS)}, unk_token=_SPECIAL[3])
    )
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.post_processor = TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    return Base("tester/tiny", "0" * 40, {name: sha256_file(folder / name) for name in FILES})


WEIGHTS = "model.safetensors"
FILES = ("config.json", "tokenizer.json", WEIGHTS)


def make_network(folder: Path, seed: int = 0) -> TopicNetwork:
    """A network whose adapters, which begin as they are drawn, are those of the seed."""
    torch.manual_seed(seed)
    return TopicNetwork(folder, len(TOPICS))


def shaken(network: TopicNetwork, seed: int = 3) -> TopicNetwork:
    """The network with adapters and head as after a long training: none of them zero."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for parameter in (*network.adapters(), *network.head.parameters()):
            parameter.normal_(std=0.2)
    return network


def learned(network: TopicNetwork) -> dict[str, torch.Tensor]:
    """A copy of what a network learns: adapters and head."""
    wanted = {name for name, value in network.named_parameters() if value.requires_grad}
    return {name: v.clone() for name, v in network.state_dict().items() if name in wanted}


def assert_same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> None:
    """The same names, and bit for bit the same numbers."""
    assert first.keys() == second.keys()
    assert [name for name in first if not torch.equal(first[name], second[name])] == []
