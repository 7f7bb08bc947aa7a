"""Schemes of another language and kind: German sentences, written for the tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from conftest import write_jsonl

TOPICS = ("backen", "garten", "segeln")
TAXONOMY = """
name = "freizeit"
title = "Freizeit"
kind = "{kind}"
language = "de"

[[topics]]
id = "backen"
name = "Backen"
definition = "Brot, Kuchen, Teig und Ofen"

[[topics]]
id = "garten"
name = "Garten"
definition = "Pflanzen, Beete, Samen und Erde"

[[topics]]
id = "segeln"
name = "Segeln"
definition = "Boote, Wind, Häfen und Segel"
"""
_SENTENCES = {
    ("backen",): """
Der Teig muss noch eine Stunde gehen.
Sie schiebt das Brot in den heißen Ofen.
Für den Kuchen braucht man Butter und Zucker.
Das Mehl für den Teig wird zuerst gesiebt.
Im Ofen wird das Brot langsam braun.
Der Kuchen ist außen schwarz und innen roh.
Mit Hefe geht der Teig schneller auf.
Aus Mehl, Wasser und Salz wird ein gutes Brot.
Den Teig knetet er mit beiden Händen.
Zum Kuchen gibt es geschlagene Sahne.
Die Brötchen kommen frisch aus dem Ofen.
Butter und Zucker werden für den Teig gerührt.
Der Ofen ist noch nicht heiß genug für das Brot.
Ohne Hefe bleibt der Teig flach.
Sie backt jeden Samstag einen Kuchen.
Das Brot schmeckt mit frischer Butter am besten.
Zucker und Mehl sind für den Kuchen schon gewogen.
Der Teig klebt an den Händen, es fehlt Mehl.
""",
    ("garten",): """
Die Tomaten brauchen warme Erde und viel Licht.
Er gräbt das Beet vor dem Winter um.
Im Garten blühen schon die ersten Rosen.
Die Samen liegen zwei Zentimeter tief in der Erde.
Zwischen den Rosen wächst zu viel Unkraut.
Sie gießt die Pflanzen am Abend.
Das Beet hinter dem Haus liegt im Schatten.
Aus den Samen sind kleine Pflanzen geworden.
Die Erde im Garten ist zu trocken.
Schnecken haben den Salat im Beet gefressen.
Im Frühling werden die Rosen geschnitten.
Unkraut wächst schneller als jede Blume.
Die Pflanzen stehen zu dicht im Beet.
Für Tomaten ist die Erde im Garten zu kalt.
Er sät die Samen in gerade Reihen.
Der Garten braucht dringend Regen.
Blumen und Salat wachsen im selben Beet.
Sie setzt die Pflanzen in frische Erde.
""",
    ("segeln",): """
Das Boot verließ den Hafen bei gutem Wind.
Sie setzten die Segel am Mittag.
Bei Sturm bleibt das Boot im Hafen.
Der Wind drehte und das Segel schlug hin und her.
An Bord fehlte das zweite Segel.
Die Jacht lief am Abend in den Hafen ein.
Ohne Wind liegt das Boot still auf dem See.
Der Anker hält auf sandigem Grund nicht gut.
Das Segel ist im Sturm gerissen.
Zwei Boote segeln gegen den Wind.
Im Hafen liegen heute viele Jachten.
An Bord der Jacht schliefen sie schlecht.
Der Wind kommt seit gestern von Westen.
Sie werfen den Anker vor der Insel.
Das Boot hat einen neuen Mast und neue Segel.
Im Sturm brach der Mast der Jacht.
Vor dem Hafen nahmen sie die Segel herunter.
Bei starkem Wind segelt das Boot sehr schnell.
""",
    ("backen", "garten"): """
Kräuter aus dem Garten kommen in den Teig für das Brot.
Mit Äpfeln vom Beet am Haus backt sie einen Kuchen.
Rosen aus dem Garten schmücken den Kuchen.
Der Salat vom Beet liegt auf dem frischen Brot.
""",
    ("garten", "segeln"): """
An Bord wachsen Tomaten in einem Topf mit Erde.
Das Boot bringt Samen und Pflanzen zur Insel.
Im Hafen blühen Rosen in jedem Beet.
Der Sturm hat Segel und Garten zerstört.
""",
    (): """
Gestern rief niemand an.
Es war ein langer Tag im Büro.
Die Sitzung beginnt um neun Uhr.
Er hat den Schlüssel vergessen.
Der Zug nach Köln fiel wieder aus.
Sie liest jeden Abend in einem Buch.
Das Telefon klingelte dreimal.
Morgen kommt der neue Nachbar.
Die Rechnung war schon bezahlt.
Niemand wusste, wie spät es war.
Der Film dauerte zwei Stunden.
Sein Bruder wohnt in einer anderen Stadt.
""",
}
ARTICLES = ("montag", "dienstag", "mittwoch", "donnerstag")


def german_records(*, kind: str = "multilabel") -> list[dict[str, Any]]:
    """Return label records; in a multiclass scheme those sentences with exactly one topic."""
    rows = [
        (topics, text)
        for topics, texts in _SENTENCES.items()
        for text in texts.strip().split("\n")
        if kind == "multilabel" or len(topics) == 1
    ]
    return [
        {
            "id": f"de-{number}",
            "article": ARTICLES[number % len(ARTICLES)],
            "text": text,
            "topics": list(topics),
        }
        for number, (topics, text) in enumerate(rows)
    ]


def write_project(folder: Path, kind: str = "multilabel") -> Path:
    """Make a folder a German project with labels; return it."""
    labels = folder / "data/labels"
    labels.mkdir(parents=True, exist_ok=True)
    (folder / "models").mkdir(exist_ok=True)
    (labels / "taxonomy.toml").write_text(TAXONOMY.format(kind=kind), encoding="utf-8")
    write_jsonl(labels / "labels.jsonl", german_records(kind=kind))
    return folder
