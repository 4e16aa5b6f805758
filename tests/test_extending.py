"""The package of docs/extending.md, installed as it stands there: what it declares is found and works."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.test_house import ROOT

pytestmark = pytest.mark.process

DOCUMENT = ROOT / "docs" / "extending.md"

SETTLED = """
import json, sys
from pathlib import Path
import numpy as np
from PIL import Image
from crossmedia.api.service import Service
from crossmedia.api.settings import Settings
from crossmedia.retrieval.query import Filters, LabelFilter, Query

def painted(path, rgb):
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(np.full((32, 32, 3), rgb, np.uint8)).save(path)

def titles(answer):
    return [hit.title for hit in answer.hits]
"""
PASS = """
painted(Path("media/red.png"), (200, 10, 10))
painted(Path("media/blue.png"), (10, 10, 200))
service = Service(Settings(data=Path("data"), profile="toy"))
service.indexing.index([Path("media")])
report, notes = service.indexing.enrich(only=["tints"])
assert (report.done, report.failed, notes) == (2, [], []), (report, notes)

from crossmedia.retrieval.policy.rules import BadPolicy, read_policy
tinted = Filters(labels=(LabelFilter("tint", "red"),))
red = Query(texts=("picture",), filters=tinted, min_relevance=0.0, facets=("tint",))
answer = service.searching.search(red)
assert titles(answer) == ["red.png"], titles(answer)
assert [(one.value, one.moments) for one in answer.facets] == [("red", 1)], answer.facets
assert titles(service.searching.search(Query(texts=("blue",), legs=("labels",)))) == ["blue.png"]
rule = '[[rule]]\\nlabel = "tint:{}"\\naction = "block"'
moments = [moment for asset in service.runtime.store.find("") for moment in service.runtime.store.moments(asset)]
assert read_policy(rule.format("red")).judged(moments, ())[0] == "block"
try:
    read_policy(rule.format("mauve"))
except BadPolicy as error:
    assert "tint has: blue, green, red" in error.hint, error.hint
else:
    raise AssertionError("a value that is never said is accepted")
service.close()

from crossmedia.api.use_cases.labels import known_label_kinds
assert {"kind": "tint", "title": "Tints", "said": True, "facet": True, "recognised": True,
        "values": ["blue", "green", "red"]} in [kind.model_dump() for kind in known_label_kinds()]
"""
DECODER = """
Path("media").mkdir()
Path("media/one.tile").write_bytes(b"TILE\\x00" + bytes([2, 1]) + bytes(range(6)))
Path("media/torn.tile").write_bytes(b"TILE\\x00" + bytes([2, 2]))
service = Service(Settings(data=Path("data"), profile="toy"))
report = service.indexing.index([Path("media")])
assert [(outcome.path, outcome.error.code) for outcome in report.failed] == [("media/torn.tile", "corrupt")]
[asset] = [service.runtime.store.asset(asset) for asset in service.runtime.store.find("")]
assert (asset.mime, asset.media, asset.metadata["width"]) == ("image/x-tile", "image", 2), asset
service.close()
"""
ENCODER = """
painted(Path("media/red.png"), (200, 10, 10))
painted(Path("media/blue.png"), (10, 10, 200))
service = Service(Settings(data=Path("data"), profile="clip", picture_encoder="mean:rgb"))
service.indexing.index([Path("media")])
assert service.runtime.profile.spaces["common"].model == "mean"
for colour in ("red", "blue"):
    answer = service.searching.search(Query(texts=(colour,), legs=("common",), min_relevance=0.0))
    assert titles(answer) == [f"{colour}.png", *(f"{other}.png" for other in ("red", "blue") if other != colour)]
service.close()
"""
ANSWERER = """
painted(Path("media/red.png"), (200, 10, 10))
service = Service(Settings(data=Path("data"), profile="toy"))
service.indexing.index([Path("media")])
from crossmedia.api.use_cases.asking import AskRequest
answer = service.asking.ask(AskRequest(question="How many files are there?"))
assert (answer.answer, answer.model) == ("1 files", "files@1"), answer
service.close()
"""
BROKEN = """
service = Service(Settings(data=Path("data"), profile="toy"))
_, notes = service.runtime.enrichers(only=["tints"])
assert len(notes) == 1 and notes[0].startswith("paintbox 1.0 (gone = paintbox.gone:PASS) is left out: ModuleNotFound")
from crossmedia.embeddings.specification import Runtime, UnknownSpecification, pictures
try:
    pictures("nothing:x", Runtime())
except UnknownSpecification as error:
    assert "mean:rgb" in error.hint and "paintbox.mean:NOTHING" in error.hint, error.hint
service.close()
"""
CONFLICT = """
from crossmedia.embeddings.extensions import ExtensionConflict
try:
    Service(Settings(data=Path("data"), profile="toy")).runtime.enricher_names()
except ExtensionConflict as error:
    assert error.message == ("'tints' is declared by paintbox 1.0 (again = paintbox.tints:PASS) and by "
                             "paintbox 1.0 (tints = paintbox.tints:PASS)"), error.message
else:
    raise AssertionError("two passes of one name")
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder as `pip install` leaves one: the modules of the document, and the metadata of its `pyproject.toml`."""
    text = DOCUMENT.read_text(encoding="utf-8")
    site = tmp_path / "site"
    blocks = re.findall(r"^```python\n# (paintbox/\w+\.py)\n(.*?)^```$", text, re.M | re.S)
    assert len(blocks) == 4
    for name, code in blocks:
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(code)
    [project] = re.findall(r"^```toml\n(.*?)^```$", text, re.M | re.S)
    declared = tomllib.loads(project)["project"]
    info = site / f"{declared['name']}-{declared['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {declared['name']}\nVersion: {declared['version']}\n")
    lines = []
    for group, points in declared["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {value}" for name, value in points.items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    return site


def declare(site: Path, group: str, line: str) -> None:
    [points] = site.glob("*.dist-info/entry_points.txt")
    points.write_text(points.read_text().replace(f"[{group}]", f"[{group}]\n{line}"))


def run(site: Path, code: str) -> None:
    """In a process of its own, which finds what is in the folder as if it were installed."""
    known = os.pathsep.join(filter(None, (str(site), os.environ.get("PYTHONPATH"))))
    done = subprocess.run(
        [sys.executable, "-c", SETTLED + code],
        cwd=site.parent,
        env={**os.environ, "PYTHONPATH": known},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.process
@pytest.mark.parametrize("code", [PASS, DECODER, ENCODER, ANSWERER], ids=["pass", "decoder", "encoder", "answerer"])
def test_what_the_document_declares_works(site: Path, code: str) -> None:
    run(site, code)


def test_the_pass_is_at_most_twenty_odd_lines() -> None:
    [code] = re.findall(r"^# paintbox/tints\.py\n(.*?)^```$", DOCUMENT.read_text(), re.M | re.S)
    assert len([line for line in code.splitlines() if line.strip()]) <= 25


@pytest.mark.process
def test_what_is_broken_is_noted(site: Path) -> None:
    declare(site, "crossmedia.passes", "gone = paintbox.gone:PASS")
    declare(site, "crossmedia.encoders", "nothing = paintbox.mean:NOTHING")
    run(site, BROKEN)


@pytest.mark.process
def test_two_of_one_name_are_an_error_that_names_both(site: Path) -> None:
    declare(site, "crossmedia.passes", "again = paintbox.tints:PASS")
    run(site, CONFLICT)
