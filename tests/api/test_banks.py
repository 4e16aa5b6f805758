"""Known content through the faces: banks by the command line, look-ups there, over HTTP and in Python; nothing stays
of a look-up."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

import crossmedia
from crossmedia.api.server import create_app
from crossmedia.api.service import Service
from crossmedia.embeddings.errors import DependencyMissing
from crossmedia.indexer.hashes import hashers
from crossmedia.retrieval.banks.hashes import Hash
from tests.api.helpers import Run, finished, png, settings
from tests.media_makers import picture, write_video
from tests.retrieval.banks.makers import near_pdq, pdq


@pytest.fixture
def opened(tmp_path: Path) -> Any:
    service = Service(settings(tmp_path))
    yield service
    service.close()


def jpeg(seed: int, quality: int = 90, half: bool = False) -> bytes:
    buffer = io.BytesIO()
    drawn = Image.fromarray(picture(seed))
    (drawn.resize((160, 120)) if half else drawn).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def held(folder: Path) -> dict[str, bytes]:
    """Every file below, SQLite's scratch files apart."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.endswith(("-wal", "-shm"))
    }


def test_the_commands(run: Run, media: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.jpg"
    copy.write_bytes(jpeg(1, quality=40, half=True))
    assert "No match" in run("lookup", str(copy)).stdout
    assert not (tmp_path / "data").exists()
    run("bank", "create", "known", "--action", "block")
    assert "No banks" not in run("bank", "list").stdout
    run("bank", "create", "known", code=1)
    run("bank", "create", "a b", code=2)
    run("bank", "create", "other", "--action", "burn", code=2)
    done = json.loads(run("bank", "add", "known", str(media / "a.png"), "--tags", "first one", "--json").stdout)
    assert (done["added"], [one.split(":")[0] for one in done["hashes"]]) == (3, ["sha256", "md5", "pdq"])
    found = json.loads(run("lookup", str(copy), "--json").stdout)
    (match,) = found["matches"]
    assert (match["bank"], match["action"], match["kind"], match["tags"]) == ("known", "block", "pdq", "first one")
    assert 0 <= match["distance"] <= 31
    assert 50 <= match["quality"] <= 100
    assert "block" in run("lookup", str(copy)).stdout
    table = tmp_path / "known.csv"
    table.write_text(run("bank", "export", "known").stdout)
    run("bank", "create", "again")
    assert "3 added" in run("bank", "import", "again", str(table)).stdout
    assert "0 added" in run("bank", "import", "again", str(table)).stdout
    assert run("bank", "export", "again", "--format", "list").stdout.splitlines()[2] == f"pdq {match['hash']}"
    assert len(json.loads(run("lookup", str(copy), "--json").stdout)["matches"]) == 2
    run("bank", "disable", "again")
    assert {m["bank"] for m in json.loads(run("lookup", f"pdq:{match['hash']}", "--json").stdout)["matches"]} == {
        "known"
    }
    assert "disabled" in run("bank", "list").stdout
    run("bank", "enable", "again")
    banks = json.loads(run("bank", "list", "--json").stdout)["banks"]
    assert [(bank["name"], bank["enabled"], bank["hashes"]) for bank in banks] == [
        (name, True, {"md5": 1, "pdq": 1, "sha256": 1}) for name in ("again", "known")
    ]
    for words, code in ((("lookup", "a cat"), 1), (("lookup", "pdq:12"), 2), (("bank", "disable", "none"), 1)):
        assert "error" in run(*words, code=code).stderr
    run("bank", "matches", "known", code=1)


def test_a_broken_table_writes_nothing_unless_told(run: Run, tmp_path: Path) -> None:
    table = tmp_path / "bank.csv"
    table.write_text(f"signal_type,signal_str\npdq,{pdq(1)}\npdq,{pdq(2)[:-1]}\nsha1,{'0' * 40}\npdq,{pdq(3)}\n")
    run("bank", "create", "known")
    refused = run("bank", "import", "known", str(table), code=1).stderr
    assert "line 3: " in refused
    assert "line 4: " in refused
    assert json.loads(run("bank", "list", "--json").stdout)["banks"][0]["hashes"] == {}
    done = json.loads(run("bank", "import", "known", str(table), "--skip-bad", "--json").stdout)
    assert (done["read"], done["added"], [fault["line"] for fault in done["faults"]]) == (2, 2, [3, 4])
    bare = tmp_path / "bare.txt"
    bare.write_text(f"{pdq(7)}\n")
    assert "--kind" in run("bank", "import", "known", str(bare), code=1).stderr
    assert "1 added" in run("bank", "import", "known", str(bare), "--kind", "pdq").stdout


def test_a_hash_that_is_banked_later_finds_what_is_indexed(opened: Service, media: Path, tmp_path: Path) -> None:
    write_video(media / "clip.mp4", [(3, 1.5), (4, 1.5)])
    opened.indexing.index([media])
    report, _ = opened.indexing.enrich(only=["hashes"])
    assert (report.done, report.failed) == (5, [])
    assert opened.indexing.enrich(only=["hashes"])[0].done == 0
    banks = opened.banks
    banks.create("late", "review")
    own = hashlib.md5((media / "tone.wav").read_bytes()).hexdigest()
    done = banks.add("late", [f"md5:{own}"])
    assert [(Path(one.path).name, one.kind) for one in done.indexed] == [("tone.wav", "md5")]
    assert banks.lookup_file(media / "tone.wav").matches[0].hash == own
    # The same film made again, smaller and worse.
    again = write_video(tmp_path / "again.mp4", [(3, 1.5), (4, 1.5)], codec="mpeg4", fps=20)
    done = banks.add("late", [again, media / "b.png"], kinds=["pdq"])
    found = [(Path(one.path).name, one.start) for one in done.indexed]
    assert {name for name, _ in found} == {"b.png", "clip.mp4"}
    assert {start for _, start in found if start is not None} >= {0.0, 1.0, 2.0}
    assert all(one.distance <= 31 for one in done.indexed)
    assert {Path(one.path).name for one in banks.matches("late")} == {"tone.wav", "b.png", "clip.mp4"}
    # The asset itself, by what the collection keeps of it: its file may be gone.
    asset = opened.runtime.resolve(hashlib.sha256((media / "clip.mp4").read_bytes()).hexdigest()[:12])
    (media / "clip.mp4").unlink()
    matches = banks.lookup(asset[:12]).matches
    assert {(match.kind, match.bank) for match in matches} == {("pdq", "late")}
    assert {match.start for match in matches} >= {0.0, 1.0, 2.0}
    opened.assets.delete([asset])
    assert {Path(one.path).name for one in banks.matches("late")} == {"tone.wav", "b.png"}


def test_sha256_finds_an_asset_and_every_copy_is_told(opened: Service, media: Path) -> None:
    bigger = media / "a-again.png"
    Image.fromarray(picture(1)).save(bigger, compress_level=1)
    opened.indexing.index([media])
    opened.indexing.enrich(only=["hashes"])
    opened.banks.create("known")
    digest = hashlib.sha256((media / "a.png").read_bytes()).hexdigest()
    (one,) = opened.banks.add("known", [f"sha256:{digest}"]).indexed
    assert (one.asset, one.moment) == (digest, None)
    added = opened.banks.add("known", [media / "a.png"], kinds=["pdq"])
    assert {Path(one.path).name for one in added.indexed} == {"a.png", "a-again.png"}


def test_more_hashes_than_assets(opened: Service, media: Path, tmp_path: Path) -> None:
    opened.indexing.index([media])
    opened.indexing.enrich(only=["hashes"])
    own = opened.banks.lookup_file(media / "a.png").hashes[2].hash
    table = tmp_path / "many.csv"
    strangers = "".join(f"pdq {pdq(seed)}\n" for seed in range(300))
    table.write_text(f"{strangers}pdq {near_pdq(own, 31)}\npdq {near_pdq(own, 32)}\n")
    opened.banks.create("many")
    (one,) = opened.banks.load("many", table).indexed
    assert (Path(one.path).name, one.distance, one.known) == ("a.png", 31, near_pdq(own, 31))


def test_pictures_with_nothing_in_them(opened: Service, tmp_path: Path) -> None:
    opened.banks.create("known")
    for name, pixels in (("dot.png", np.zeros((1, 1, 3))), ("grey.png", np.full((200, 300, 3), 128))):
        path = tmp_path / name
        Image.fromarray(pixels.astype(np.uint8)).save(path)
        known = opened.banks.lookup_file(path)
        assert known.matches == []
        assert any("quality below 50" in note for note in known.notes)
        assert [hashed.quality for hashed in known.hashes if hashed.kind == "pdq"] == [0]
        with pytest.raises(crossmedia.CrossmediaError) as error:
            opened.banks.add("known", [path], kinds=["pdq"])
        assert error.value.code == "nothing_to_bank"
    assert opened.banks.list_banks()[0].hashes == {}
    # They are in the collection without a hash that would match each other's.
    opened.indexing.index([tmp_path / "dot.png", tmp_path / "grey.png"])
    opened.indexing.enrich(only=["hashes"])
    assert len(opened.runtime.store.labelled("hash")) == 2
    assert all(label.value.startswith("md5:") for label in opened.runtime.store.labelled("hash"))


def test_a_cropped_copy_is_known_where_crops_are_banked(opened: Service, media: Path, tmp_path: Path) -> None:
    copy = tmp_path / "cropped.jpg"
    Image.fromarray(picture(1)[12:-12, 16:-16]).save(copy, quality=70)
    for name, crops, added in (("plain", False, 1), ("crops", True, 3)):
        opened.banks.create(name)
        assert opened.banks.add(name, [media / "a.png"], ["pdq"], crops=crops).added == added
    assert {one.bank for one in opened.banks.lookup_file(copy).matches} == {"crops"}


def test_nothing_is_banked_if_one_of_several_cannot_be(opened: Service, media: Path) -> None:
    opened.banks.create("known")
    for wrong in ("nothing of the kind", "pdq:12", pdq(1)):
        with pytest.raises(crossmedia.CrossmediaError):
            opened.banks.add("known", [media / "a.png", wrong])
    assert opened.banks.list_banks()[0].hashes == {}


def test_what_cannot_be_decoded_is_compared_by_its_bytes(opened: Service, tmp_path: Path) -> None:
    junk = tmp_path / "junk.bin"
    junk.write_bytes(bytes(range(256)) * 9)
    opened.banks.create("known", "block")
    opened.banks.add("known", [f"md5:{hashlib.md5(junk.read_bytes()).hexdigest()}"])
    known = opened.banks.lookup_file(junk)
    assert [one.bank for one in known.matches] == ["known"]
    assert any("only its bytes" in note for note in known.notes)


def test_without_the_libraries(opened: Service, media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent() -> None:
        raise DependencyMissing("pdqhash is not installed", 'pip install "crossmedia[banks]"')

    monkeypatch.setattr(hashers, "PdqHasher", absent)
    opened.indexing.index([media])
    report, notes = opened.indexing.enrich(only=["hashes"])
    assert (report.done, report.failed) == (4, [])
    assert any('pip install "crossmedia[banks]"' in note for note in notes)
    known = opened.banks.lookup_file(media / "a.png")
    assert [hashed.kind for hashed in known.hashes] == ["sha256", "md5"]
    assert known.notes == ['pdqhash is not installed: pip install "crossmedia[banks]"']
    assert "pdqhash" not in str(opened.banks.lookup_file(media / "note.txt").notes)


def test_over_http(http: TestClient, tmp_path: Path) -> None:
    asset = finished(http, http.post("/v1/assets", files=[("file", ("red.jpg", jpeg(1)))]))["report"]["assets"][
        "red.jpg"
    ]
    banks = http.app.state.crossmedia.service.banks  # type: ignore[attr-defined]
    assert http.get("/v1/banks").json() == {"banks": []}
    banks.create("known", "allow")
    banks.add("known", [asset], tags="of the press")
    assert http.get("/v1/banks").json()["banks"][0]["name"] == "known"
    before = held(tmp_path / "data")
    answer = http.post("/v1/lookup", files={"file": ("other.jpg", jpeg(1, quality=30, half=True))})
    assert answer.status_code == 200, answer.text
    (match,) = answer.json()["matches"]
    assert (match["bank"], match["action"], match["kind"], match["tags"]) == ("known", "allow", "pdq", "of the press")
    own = {one["kind"]: one["hash"] for one in http.post("/v1/lookup", json={"asset": asset[:16]}).json()["hashes"]}
    assert set(own) == {"sha256", "md5", "pdq"}
    for kind, value in own.items():
        found = http.post("/v1/lookup", json={"hash": f"{kind}:{value}"}).json()
        assert [(one["kind"], one["distance"]) for one in found["matches"]] == [(kind, 0)]
    assert http.post("/v1/lookup", json={"hash": pdq(9)}).json()["matches"] == []
    assert http.post("/v1/lookup", files={"file": ("junk", b"\x00\x01junk")}).json()["matches"] == []
    assert {one["kind"] for one in http.get("/v1/banks/known/matches").json()["indexed"]} == {"sha256", "md5", "pdq"}
    assert http.get("/v1/banks/none/matches").status_code == 404
    assert held(tmp_path / "data") == before


def test_looking_up_makes_no_bank_file(http: TestClient, tmp_path: Path) -> None:
    http.post("/v1/lookup", files={"file": ("a.png", png("red"))})
    http.post("/v1/lookup", json={"hash": pdq(1)})
    assert not (tmp_path / "data" / "banks.sqlite").exists()
    assert not [path for path in (tmp_path / "data").rglob("*") if "incoming" in path.name]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 422, "invalid_request"),
        ({"hash": "a", "asset": "b"}, 422, "invalid_request"),
        ({"smell": "x"}, 422, "invalid_request"),
        ({"hash": 1}, 422, "invalid_request"),
        ([], 422, "invalid_request"),
        ({"hash": "pdq:12"}, 422, "bad_hash"),
        ({"hash": ""}, 422, "bad_hash"),
        ({"hash": "a cat"}, 422, "bad_hash"),
        ({"hash": "sha1:" + "0" * 40}, 422, "bad_hash"),
        ({"hash": "chromaprint:AQ" + "A" * 5000}, 422, "bad_hash"),
        ({"asset": "0" * 64}, 404, None),
        ({"asset": ""}, 404, None),
    ],
)
def test_requests_that_are_none(http: TestClient, body: Any, status: int, code: str | None) -> None:
    response = http.post("/v1/lookup", json=body)
    assert response.status_code == status, response.text
    assert response.json()["error"]["code"] == (code or response.json()["error"]["code"])


def test_bodies_that_are_none(http: TestClient) -> None:
    assert http.post("/v1/lookup", content=b"{nothing").json()["error"]["code"] == "invalid_request"
    assert (
        http.post("/v1/lookup", files={"picture": ("a.png", png("red"))}).json()["error"]["code"] == "invalid_request"
    )
    assert http.post("/v1/lookup", files={"file": ("../a.png", png("red"))}).json()["error"]["code"] == "bad_name"


def test_limits_and_keys_hold_here_too(tmp_path: Path) -> None:
    with TestClient(create_app(settings(tmp_path, max_upload_bytes=1000, api_keys=("secret",)))) as http:
        assert http.post("/v1/lookup", json={"hash": pdq(1)}).status_code == 401
        key = {"X-API-Key": "secret"}
        large = http.post("/v1/lookup", files={"file": ("a.bin", b"x" * 5000)}, headers=key)
        assert (large.status_code, large.json()["error"]["code"]) == (413, "upload_too_large")
        assert http.post("/v1/lookup", json={"hash": pdq(1)}, headers=key).json()["matches"] == []
        assert not list((tmp_path / "data" / "uploads").rglob("*"))


def test_library_and_client(tmp_path: Path, media: Path) -> None:
    with crossmedia.open_library(tmp_path / "data", profile="toy", decode_workers=1) as library:
        library.create_bank("known", "block")
        assert library.add_to_bank("known", media / "a.png")["added"] == 3
        matches = library.lookup(file=media / "a.png")["matches"]
        assert {match["kind"] for match in matches} == {"sha256", "md5", "pdq"}
        assert library.banks()[0]["action"] == "block"
        assert library.lookup(hash=Hash("pdq", matches[0]["hash"]).value)["matches"][0]["bank"] == "known"
        for wrong in ({}, {"file": "a", "hash": "b"}):
            with pytest.raises(crossmedia.CrossmediaError):
                library.lookup(**wrong)
