"""The model card, in the shape of the Hugging Face Hub's cards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from topicml.models.folder import base_of
from topicml.scheme import Scheme
from topicml.scoring.scorer import FEWEST_KNOWN
from topicml.taxonomy import Taxonomy
from topicml.training.evaluation_rows import CALIBRATION_COLUMNS, calibration_rows, topic_cells
from topicml.training.intervals import format_interval

_TEMPLATE = """---
language: {language}
{license}library_name: {library}
pipeline_tag: text-classification
tags: [{kind}, {tags}, {taxonomy}]
---

# {name} {version}

Tags sentences with {title}: {how_many} of {count}. {method}

## Use

{use}

Meant for finding and sorting {meant_for}, with a person reading what matters.
Not meant for decisions about persons, nor as the only reading of a text.

## Topics

{topics}

## Training data

{data}

{sources}

## Metrics

{protocol} 95 % intervals are by the jackknife over documents.
{cautions}
{metrics}

| topic | support | documents | precision | recall | F1 | average precision |
|---|---|---|---|---|---|---|
{per_topic}
{calibration}
{search}
## Limits

- The labels follow one codebook{codebook}; a sentence is judged standing alone.
- {abstention} A subject far from the training data can still be tagged by chance.
- Precision behind `--min-precision` is that of cross-validation; on other texts it is lower.
- Figures above come from texts like the training data; text by other writers is harder.

## How made

Parameters: {parameters}. Seed {seed}.

Versions: {versions}.

Labels and taxonomy by SHA-256 in `manifest.json`.
"""


_LINEAR_METHOD = """TF-IDF features, one-vs-rest
logistic regression, calibrated probabilities, one threshold per topic."""
_MULTINOMIAL_METHOD = """TF-IDF features, multinomial
logistic regression, probabilities calibrated by one temperature; the likeliest topic is given."""
_LINEAR_USE = """`topicml classify ARTICLE.txt` tags an article; \
`topicml models verify {name}@{version}` checks
this folder. `scorer.npz` is the model as data only and is what tagging reads. `pipeline.joblib`
is the same model as a scikit-learn estimator, whose `predict` gives the same tags; loading it runs
code, so load it only from a source you trust."""
_NETWORK_METHOD = """{base} with
low-rank adapters (LoRA), calibrated probabilities, one threshold per topic."""
_NETWORK_USE = """`pip install 'topicml[neural]'` and `topicml models fetch-base {name}`, once; then
`topicml classify ARTICLE.txt --model {name}` tags an article, and
`topicml models verify {name}@{version}` checks this folder. `adapters.safetensors` is what was
learned, `scorer.npz` knows words and thresholds; both are data only. The base is no part of it:
{base} at revision {revision}."""


def _by_kind(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Return what a card says of the kind of model."""
    base = base_of(manifest)
    known = {"name": manifest["name"], "version": manifest["version"]}
    if base is None:
        method = _MULTINOMIAL_METHOD if _is_multiclass(manifest) else _LINEAR_METHOD
        use = _LINEAR_USE
        library, tags = "scikit-learn", "tf-idf, logistic-regression"
    else:
        method, use = _NETWORK_METHOD, _NETWORK_USE
        library, tags = "peft", "lora"
        known |= {"base": base.name, "revision": base.revision}
    stated = {"method": method.format(**known), "use": use.format(**known)}
    return {"library": library, "tags": tags, **stated}


def _by_scheme(manifest: Mapping[str, Any], taxonomy: Taxonomy) -> dict[str, str]:
    """Return what a card says of the label scheme."""
    language = manifest["scheme"]["language"]
    multiclass = _is_multiclass(manifest)
    return {
        "language": language,
        "license": f"license: {taxonomy.license}\n" if taxonomy.license else "",
        "kind": "multi-class" if multiclass else "multi-label",
        "title": taxonomy.title or taxonomy.name,
        "how_many": "exactly one" if multiclass else "none, one or several",
        "meant_for": taxonomy.meant_for
        or f"sentences like those it was trained on (language: {language})",
        "abstention": _abstention(
            Scheme(**manifest["scheme"]),
            manifest["relevance_threshold"],
            manifest.get("fewest_known", FEWEST_KNOWN),
        ),
    }


def _abstention(scheme: Scheme, relevance: float, fewest_known: float) -> str:
    """Say which sentences are not tagged."""
    few = f"of whose words fewer than {fewest_known:.0%} are known"
    known = "without letters" if scheme.is_written_without_spaces else few
    said = (
        f"A sentence that is not English, boilerplate, and a sentence {known}\n"
        "  are not tagged but given that reason"
        if scheme.is_english
        else f"A sentence {known} is not tagged but given that reason; other\n"
        "  languages and the page around an article are not told apart"
    )
    if scheme.is_multiclass:
        return f"{said}. Any other is given the likeliest topic, however likely."
    if not relevance:
        return f"{said}."
    return (
        f"{said}; so is one that is likely about none of the topics (relevance under\n"
        f"  {relevance:g})."
    )


def _is_multiclass(manifest: Mapping[str, Any]) -> bool:
    return Scheme(**manifest["scheme"]).is_multiclass


def render_card(manifest: Mapping[str, Any], taxonomy: Taxonomy) -> str:
    """Render ``MODEL_CARD.md`` from the manifest's figures and the taxonomy."""
    labels = manifest["labels"]
    evaluation = manifest["metrics"]["evaluation"]
    multiclass = _is_multiclass(manifest)
    return _TEMPLATE.format(
        **_by_kind(manifest),
        **_by_scheme(manifest, taxonomy),
        name=manifest["name"],
        version=manifest["version"],
        taxonomy=taxonomy.name,
        count=len(taxonomy.topics),
        topics="\n".join(f"- `{t.id}` ({t.name}): {t.definition}" for t in taxonomy.topics),
        data=f"{labels['sentences']} labelled sentences of {labels['groups']} groups, "
        f"{labels['empty']} of them with no topic.",
        sources=_sources(labels["sources"], labels.get("by_reference", {})),
        protocol=manifest["metrics"]["protocol"],
        metrics=_headlines(evaluation["headlines"]),
        cautions="".join(f"\nCaution: {text}.\n" for text in evaluation.get("cautions", ())),
        per_topic="\n".join(_topic_row(row) for row in evaluation["topics"]),
        calibration=_calibration(evaluation.get("calibration", ())),
        search=_search(manifest["search"], "accuracy" if multiclass else "micro F1 at 0.5"),
        parameters=_inline(manifest["parameters"]),
        seed=manifest["seed"],
        codebook=_codebook(manifest["taxonomy"].get("version")),
        versions=_inline({**manifest["versions"], **manifest.get("network_versions", {})}),
    )


def _sources(sources: Mapping[str, int], by_reference: Mapping[str, Mapping[str, int]]) -> str:
    words = {
        "archive": "sentences of public archives, labelled by reference",
        "article": "sentences of articles",
        "authored": "sentences written for training: not taken from any publication, and no "
        "source of facts",
    }
    lines = [f"- {count} {words[source]}." for source, count in sorted(sources.items())]
    lines += [
        f"- Of {count['labels']} labels by reference in `{name}`, the texts of "
        f"{count['with_text']} were there to train on."
        for name, count in sorted(by_reference.items())
    ]
    return "\n".join(lines)


def _codebook(version: str | None) -> str:
    return f" (version {version})" if version else ""


def _headlines(headlines: Mapping[str, Mapping[str, float]]) -> str:
    rows = ["| figure | value | 95 % interval |", "|---|---|---|"]
    for key, row in headlines.items():
        value, interval = format_interval(row)
        rows.append(f"| {key.replace('_', ' ')} | {value} | {interval} |")
    return "\n".join(rows)


def _topic_row(row: Mapping[str, Any]) -> str:
    cells = [row["topic"], row["support"], row.get("documents", "–"), *topic_cells(row)]
    return f"| {' | '.join(map(str, cells))} |"


def _calibration(parts: Sequence[Mapping[str, Any]]) -> str:
    if not parts:
        return ""
    rows = [CALIBRATION_COLUMNS, ["---"] * len(CALIBRATION_COLUMNS), *calibration_rows(parts)]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"\nProbabilities of all topics against what is there:\n\n{table}\n"


def _search(candidates: list[Mapping[str, Any]], tagged: str) -> str:
    if not candidates:
        return ""
    lines = [
        "Parameters searched in grouped cross-validation (best five, and scikit-learn's defaults).",
        "Each is scored by the labels that it is chosen by, so that the best is slightly "
        "optimistic; the figures above are not of this search:",
        "",
        f"| parameters | macro average precision | {tagged} |",
        "|---|---|---|",
    ]
    lines += [
        f"| {_inline(c['parameters'])}{' **(default)**' if c['default'] else ''} "
        f"| {c['macro_average_precision']:.3f} | {c['micro_f1']:.3f} |"
        for c in candidates
    ]
    return "\n".join([*lines, "", ""])


def _inline(fields: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in fields.items())
