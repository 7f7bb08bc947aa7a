import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from damage import flip
from safetensors.torch import load_file
from toy import WEIGHTS, learned, make_base, make_network, shaken
from transformers import MPNetModel

from topicml.errors import ModelError
from topicml.network.encoder import LONGEST, ByteDropout, TopicNetwork

TEXTS = (
    "the oven",
    "nobody saw the roses near that river on friday and her brother was late and late",
    "a hedge near the soup",
    "zeppelins the zeppelins",  # words it does not know
)


@pytest.fixture
def network(folder: Path) -> TopicNetwork:
    return shaken(make_network(folder))


def test_log_odds_are_those_of_the_mean_token_without_batches(
    folder: Path, network: TopicNetwork
) -> None:
    plain = MPNetModel.from_pretrained(folder, add_pooling_layer=False).eval()
    fresh = make_network(folder)
    fresh.head = network.head  # fresh adapters change nothing yet
    for text, log_odds in zip(TEXTS, fresh.log_odds(TEXTS), strict=True):
        tokens = torch.tensor(fresh.tokenize([text]))
        with torch.inference_mode():
            mean = plain.to(fresh.device)(tokens.to(fresh.device)).last_hidden_state[0].mean(dim=0)
            expected = fresh.head.weight @ mean + fresh.head.bias
        np.testing.assert_allclose(log_odds, expected.cpu().numpy(), atol=1e-5)


def test_log_odds_do_not_depend_on_order_or_on_neighbours(network: TopicNetwork) -> None:
    together = network.log_odds(TEXTS)
    assert np.ptp(together, axis=0).min() > 0.01  # sentences differ
    np.testing.assert_allclose(network.log_odds(TEXTS[::-1])[::-1], together, atol=1e-5)
    alone = np.vstack([network.log_odds([text]) for text in TEXTS])
    np.testing.assert_allclose(alone, together, atol=1e-5)


def test_log_odds_of_more_sentences_than_a_batch_has_are_told_of(network: TopicNetwork) -> None:
    told: list[int] = []
    found = network.log_odds(TEXTS * 300, told.append)
    assert len(told) > 1
    assert sum(told) == len(found) == 1200
    np.testing.assert_allclose(found[:4], found[-4:], atol=1e-5)


def test_log_odds_of_nothing_are_nothing(network: TopicNetwork) -> None:
    assert network.log_odds([]).shape == (0, 2)


def test_only_the_beginning_of_a_long_sentence_is_read(network: TopicNetwork) -> None:
    text = "train " * 500
    assert [len(tokens) for tokens in network.tokenize([text])] == [LONGEST]
    np.testing.assert_array_equal(
        network.log_odds([text + "roses"]), network.log_odds([text + "soup"])
    )


def test_encoder_itself_is_not_learned(network: TopicNetwork) -> None:
    names = [name for name, value in network.named_parameters() if value.requires_grad]
    assert names
    assert all("lora_" in name or name.startswith("head.") for name in names)


def test_what_is_saved_comes_back_to_half_precision(
    folder: Path, network: TopicNetwork, tmp_path: Path
) -> None:
    network.save(tmp_path / "learned")
    read = make_network(folder, seed=9)
    read.load(tmp_path / "learned")
    before, after = learned(network), learned(read)
    assert before.keys() == after.keys()
    for name, value in before.items():
        expected = value if name.startswith("head.") else value.half().float()
        assert torch.equal(after[name], expected), name
    read.save(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == (tmp_path / "learned").read_bytes()
    np.testing.assert_allclose(read.log_odds(TEXTS), network.log_odds(TEXTS), atol=0.02)


def test_file_holds_adapters_and_head_alone(network: TopicNetwork, tmp_path: Path) -> None:
    network.save(tmp_path / "learned")
    held = load_file(tmp_path / "learned")
    assert {name for name in held if "lora_" not in name} == {"head.weight", "head.bias"}
    assert len(held) == len(learned(network))


@pytest.mark.parametrize("layers", [1, 3])
def test_adapters_of_an_encoder_with_other_layers_are_refused(
    network: TopicNetwork, tmp_path: Path, layers: int
) -> None:
    make_base(tmp_path / "other", layers)
    make_network(tmp_path / "other").save(tmp_path / "learned")
    with pytest.raises(ModelError, match="of another encoder") as caught:
        network.load(tmp_path / "learned")
    assert caught.value.where == str(tmp_path / "learned")


def test_head_of_other_topics_is_refused(
    network: TopicNetwork, folder: Path, tmp_path: Path
) -> None:
    TopicNetwork(folder, 5).save(tmp_path / "learned")
    with pytest.raises(ModelError, match="cannot be read") as caught:
        network.load(tmp_path / "learned")
    assert caught.value.where == str(tmp_path / "learned")


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:-100]),
        lambda path: flip(path, 0),
        lambda path: path.write_bytes(pickle.dumps({"head.weight": 1})),
        lambda path: path.write_bytes((path.parent / "no-head").read_bytes()),
    ],
    ids=["missing", "empty", "cut", "length", "pickle", "no-head"],
)
def test_damaged_file_is_refused(
    network: TopicNetwork, folder: Path, tmp_path: Path, damage: object
) -> None:
    (tmp_path / "no-head").write_bytes((folder / WEIGHTS).read_bytes())
    path = tmp_path / "learned"
    network.save(path)
    damage(path)  # type: ignore[operator]
    with pytest.raises(ModelError) as caught:
        network.load(path)
    assert caught.value.where == str(path)


@pytest.mark.parametrize("share", [0.05, 0.1, 0.5])
def test_dropout_drops_its_share_at_every_place_and_keeps_the_mean(share: float) -> None:
    torch.manual_seed(0)
    dropout = ByteDropout(share)
    x = torch.ones(20_000, 8, requires_grad=True)
    found = dropout(x)
    dropped = (found == 0).double().mean(dim=0)  # eight neighbours come of one random number
    np.testing.assert_allclose(dropped, round(share * 256) / 256, atol=0.015)
    np.testing.assert_allclose(found.mean().item(), 1.0, atol=0.01)
    assert len(found.unique()) == 2
    found.sum().backward()
    torch.testing.assert_close(x.grad, found.detach())  # of ones: the factor of each


def test_dropout_is_drawn_anew_and_again_from_the_same_seed() -> None:
    dropout, x = ByteDropout(0.5), torch.ones(3, 33)
    torch.manual_seed(1)
    first, second = dropout(x), dropout(x)
    torch.manual_seed(1)
    assert torch.equal(dropout(x), first)
    assert not torch.equal(first, second)
    assert torch.equal(dropout.eval()(x), x)
    assert torch.equal(ByteDropout(0.0)(x), x)


@pytest.mark.skipif(torch.cuda.is_available(), reason="on a processor only")
def test_all_dropout_of_a_network_is_drawn_by_bytes(network: TopicNetwork) -> None:
    kinds = [type(module) for module in network.modules() if "ropout" in type(module).__name__]
    assert {*kinds} == {ByteDropout}
    network.train()
    assert np.ptp([network(next(network.batches(TEXTS))).detach() for _ in range(5)], axis=0).any()
