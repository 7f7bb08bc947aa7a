"""An encoder with low-rank adapters and a head of one output a topic.

Only adapters and head are learned and stored; they are a few megabytes.
Method: Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", ICLR 2022.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from peft import LoraConfig, get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers import MPNetConfig, MPNetModel

from topicml.errors import ModelError
from topicml.files import replacing
from topicml.network.base import CONFIG, TOKENIZER, WEIGHTS

LONGEST = 72
"""Tokens of a sentence that are read; hardly any sentence of news has more."""

_RANK = 16
_DROPOUT = 0.05
_LINEAR_MAPS = ["q", "k", "v", "o", "dense"]
_HEAD = "head."
_AT_ONCE = {"cpu": 32, "cuda": 512, "mps": 128}  # sentences, to predict
_ANOTHER_BASE = "Get the base again at its pinned revision: topicml models fetch-base"
_LEAST = torch.iinfo(torch.int64).min
_START = -2.0  # log-odds of a topic before anything is learned


@dataclass(frozen=True, slots=True)
class Batch:
    """Sentences of one batch as tokens.

    Attributes:
        rows: Which sentences they are.
        tokens: As many by longest, padded.
        mask: 1 where there is a token.
    """

    rows: list[int]
    tokens: Tensor
    mask: Tensor


class ByteDropout(nn.Module):
    """Dropout that draws a byte a number: on some processors torch's own takes a third of a step.

    Args:
        share: Of the numbers that become zero; rounded to 1/256.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self._dropped = round(share * 256)
        self._scale = 256 / (256 - self._dropped)

    def forward(self, x: Tensor) -> Tensor:
        """Return x with a random part of it zero, and the rest larger; x itself when judging."""
        if not self.training or not self._dropped:
            return x
        words = torch.empty(-(-x.numel() // 8), dtype=torch.int64).random_(_LEAST, None)
        drawn = words.view(torch.uint8)[: x.numel()].view(x.shape)
        return x * ((drawn >= self._dropped).to(x.dtype) * self._scale)


class TopicNetwork(nn.Module):
    """An encoder whose mean token is mapped to log-odds.

    Args:
        base: Folder of ``base.base_folder``.
        outputs: Number of outputs.
        seed: Of the adapters.
        is_exact: Compute in float32 even where bfloat16 is fast.

    Attributes:
        device: What it computes on.
        is_short: Whether it computes in bfloat16.

    Raises:
        ModelError: The folder has another architecture, or damaged files.
    """

    def __init__(self, base: Path, outputs: int, seed: int = 0, *, is_exact: bool = False) -> None:
        super().__init__()
        torch.manual_seed(seed)
        encoder = _read_encoder(base)
        adapters = LoraConfig(
            r=_RANK, lora_alpha=2 * _RANK, lora_dropout=_DROPOUT, target_modules=_LINEAR_MAPS
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # between peft and transformers
            self.encoder = get_peft_model(encoder, adapters)
        self.head = nn.Linear(encoder.config.hidden_size, outputs)
        nn.init.zeros_(self.head.weight)
        nn.init.constant_(self.head.bias, _START)
        self._tokenizer = Tokenizer.from_file(str(base / TOKENIZER))
        self._tokenizer.enable_truncation(LONGEST)
        self._tokenizer.no_padding()
        self._padding = encoder.config.pad_token_id
        self.device = best_device()
        self.is_short = not is_exact and computes_short(self.device)
        self.to(self.device)
        if self.device == "cpu":
            _with_byte_dropout(self)

    def forward(self, batch: Batch) -> Tensor:
        """Return log-odds, as many as sentences by outputs."""
        with torch.autocast(self.device, dtype=torch.bfloat16, enabled=self.is_short):
            states = self.encoder(input_ids=batch.tokens, attention_mask=batch.mask)
        mask = batch.mask[..., None].float()
        mean = (states.last_hidden_state.float() * mask).sum(1) / mask.sum(1)
        log_odds: Tensor = self.head(mean)
        return log_odds

    def merge(self) -> None:
        """Add the adapters to the encoder: it reads a third faster, and learns no more."""
        self.encoder = self.encoder.merge_and_unload()
        self.requires_grad_(False)
        if self.is_short:
            for module in self.encoder.modules():
                if isinstance(module, nn.Linear):
                    module.to(torch.bfloat16)  # as autocast would, before each batch

    def adapters(self) -> list[nn.Parameter]:
        """Return what is learned of the encoder."""
        return [p for p in self.encoder.parameters() if p.requires_grad]

    def tokenize(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the tokens of n sentences."""
        return [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]

    def pad(self, rows: Sequence[int], tokens: Sequence[list[int]]) -> Batch:
        """Return some of n tokenized sentences as a batch."""
        longest = max(len(tokens[row]) for row in rows)
        padded = torch.full((len(rows), longest), self._padding)
        mask = torch.zeros((len(rows), longest), dtype=torch.long)
        for i, row in enumerate(rows):
            padded[i, : len(tokens[row])] = torch.tensor(tokens[row])
            mask[i, : len(tokens[row])] = 1
        return Batch(list(rows), padded.to(self.device), mask.to(self.device))

    def batches(self, texts: Sequence[str]) -> Iterator[Batch]:
        """Yield sentences of like length together, the shortest first."""
        tokens = self.tokenize(texts)
        order = sorted(range(len(tokens)), key=lambda row: len(tokens[row]))
        size = _AT_ONCE[self.device]
        for start in range(0, len(order), size):
            yield self.pad(order[start : start + size], tokens)

    @torch.inference_mode()
    def log_odds(
        self, texts: Sequence[str], on_batch: Callable[[int], None] = lambda _: None
    ) -> NDArray[np.float64]:
        """Return n by outputs log-odds of n sentences.

        Args:
            texts: n sentences.
            on_batch: Told after each batch how many sentences it had.
        """
        self.eval()
        found = np.zeros((len(texts), self.head.out_features))
        for batch in self.batches(texts):
            found[batch.rows] = self(batch).cpu().double().numpy()
            on_batch(len(batch.rows))
        return found

    def save(self, path: Path) -> None:
        """Write what was learned as safetensors, the adapters in half precision."""
        learned = {
            name: value.half().cpu().contiguous()
            for name, value in get_peft_model_state_dict(
                self.encoder, save_embedding_layers=False
            ).items()
        }
        head = {_HEAD + name: value.cpu() for name, value in self.head.state_dict().items()}
        with replacing(path) as file:
            file.write(save(learned | head))

    def load(self, path: Path) -> None:
        """Take over what ``save`` wrote.

        Raises:
            ModelError: The file is missing, damaged, or of another encoder.
        """
        try:
            learned = load_file(path)
            head = {k.removeprefix(_HEAD): v for k, v in learned.items() if k.startswith(_HEAD)}
            self.head.load_state_dict(head)
            adapters = {k: v.float() for k, v in learned.items() if not k.startswith(_HEAD)}
            own = get_peft_model_state_dict(self.encoder, save_embedding_layers=False).keys()
            wrong = sorted(own ^ adapters.keys())
            set_peft_model_state_dict(self.encoder, adapters)
        except (OSError, SafetensorError, RuntimeError) as err:
            raise ModelError(
                f"adapters cannot be read ({err})", where=path, hint="Train them again."
            ) from err
        if wrong:
            raise ModelError(
                f"adapters of another encoder ({wrong[0]})", where=path, hint="Train them again."
            )


def _read_encoder(base: Path) -> MPNetModel:
    """Return the encoder in a folder: its numbers, read by this library's own code alone.

    Raises:
        ModelError: It is of another architecture, asks for code of its own, or is damaged.
    """
    try:
        config = json.loads((base / CONFIG).read_text("utf-8"))
        _check_config(config)
        with torch.device("meta"):  # no numbers drawn, for none of them stays
            encoder = MPNetModel(MPNetConfig(**config), add_pooling_layer=False)
    except (OSError, ValueError, TypeError, KeyError) as err:
        raise ModelError(
            f"is no encoder that can be read ({err})", where=base / CONFIG, hint=_ANOTHER_BASE
        ) from err
    try:
        found = dict(_read_weights(base / WEIGHTS))
        missing = encoder.load_state_dict(found, strict=False, assign=True).missing_keys
    except (OSError, SafetensorError, RuntimeError) as err:
        raise ModelError(
            f"are no weights of its config ({err})", where=base / WEIGHTS, hint=_ANOTHER_BASE
        ) from err
    if missing:
        raise ModelError(f"lacks {missing[0]}", where=base / WEIGHTS, hint=_ANOTHER_BASE)
    for module in encoder.modules():
        for name, buffer in module.named_buffers(recurse=False):
            if buffer.is_meta:  # the numbers of places, which stand in no file
                setattr(module, name, torch.arange(buffer.shape[-1]).expand(buffer.shape))
    return encoder


def _read_weights(path: Path) -> Iterator[tuple[str, Tensor]]:
    """Yield names and copies of the tensors in a file, of which no more than one is in memory."""
    with safe_open(path, "pt") as file:
        names = list(file.keys())
    for name in names:
        with safe_open(path, "pt") as file:
            yield name.removeprefix("mpnet."), file.get_tensor(name).clone()


def _check_config(config: dict[str, object]) -> None:
    if "auto_map" in config:
        raise ValueError("it asks for code of its own, and none is run")
    if config["model_type"] != MPNetConfig.model_type:
        raise ValueError(f"it is of type {config['model_type']!r:.40}, not mpnet")


def _with_byte_dropout(module: nn.Module) -> None:
    for name, child in module.named_children():
        if isinstance(child, nn.Dropout):
            setattr(module, name, ByteDropout(child.p))
        else:
            _with_byte_dropout(child)


def with_head_folded(
    adapters: Path, weights: NDArray[np.float64], offset: NDArray[np.float64]
) -> bytes:
    """Return what ``TopicNetwork.save`` wrote, its log-odds made a weighted sum.

    Args:
        adapters: File of T + 1 outputs.
        weights: T + 1 by T + 1.
        offset: T + 1.
    """
    learned = load_file(adapters)
    W = torch.tensor(weights, dtype=torch.float32)
    bias = W @ learned[_HEAD + "bias"] + torch.tensor(offset, dtype=torch.float32)
    folded = {_HEAD + "weight": W @ learned[_HEAD + "weight"], _HEAD + "bias": bias}
    contents: bytes = save(learned | folded)
    return contents


def best_device() -> str:
    """Return what to compute on: a graphics card where torch finds one."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def computes_short(device: str) -> bool:
    """Whether a device computes in bfloat16, and much faster so."""
    return device == "cuda" or (device == "cpu" and has_fast_bfloat16())


def has_fast_bfloat16() -> bool:
    """Whether the processor computes in bfloat16, three times as fast as in float32."""
    return bool(torch.backends.cpu.get_cpu_capability().startswith("AVX512")) and _has_flag("bf16")


def _has_flag(name: str) -> bool:
    try:
        return name in Path("/proc/cpuinfo").read_text("utf-8")
    except OSError:
        return False
