"""Archives that nobody exported: each is refused with one clear error, and nothing of the part is written."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.lib import format as npy

from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.embeddings.heads import Heads
from crossmedia.retrieval.archive import Archive, ArchiveNewer, ArchiveUnusable, bring
from crossmedia.retrieval.local import LocalStore
from tests.retrieval.makers import DIM, asset_id, unit, write_archive

LINES, ROWS, MEDIA = "assets-00000.jsonl", "vectors-00000-common.npy", "media-00000.tar"


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_archive(tmp_path_factory.mktemp("original"))


@pytest.fixture
def folder(tmp_path: Path, original: Path) -> Path:
    """The same, to be tampered with."""
    return Path(shutil.copytree(original, tmp_path / "archive"))


def tamper(folder: Path, name: str, data: bytes) -> None:
    """Put other bytes in place of a file's, with the checksum that they have."""
    (folder / name).write_bytes(data)
    manifest = json.loads((folder / "manifest.json").read_bytes())
    manifest["files"][name] = {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    (folder / "manifest.json").write_text(json.dumps(manifest))


def refused(folder: Path, match: str, error: type[CrossmediaError] = ArchiveUnusable) -> None:
    store = LocalStore(folder.parent / "store")
    with pytest.raises(error, match=match) as caught:
        bring(Archive(folder), store, Heads(folder.parent / "heads"))
    assert type(caught.value) is error
    assert caught.value.hint
    assert len(caught.value.message) < 2000
    assert list(store.asset_ids()) == []
    assert store.statistics().sources == 0
    assert store.spaces() == {}
    store.close()


def header(shape: tuple[int, ...], descr: str = "<f4", fortran: bool = False) -> bytes:
    file = io.BytesIO()
    npy.write_array_header_1_0(file, {"descr": descr, "fortran_order": fortran, "shape": shape})
    return file.getvalue()


def saved(array: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def with_row(data: bytes, row: Any) -> bytes:
    rows = np.load(io.BytesIO(data)).copy()
    rows[3] = row
    return saved(rows)


BAD_ROWS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "cut": (lambda data: data[:-4], "cut short"),
    "empty": (lambda data: b"", "no .npy file"),
    "no npy": (lambda data: b"PK\x03\x04" + data[4:], "no .npy file"),
    "header of nonsense": (lambda data: data[:10] + b"(" * (len(data) - 10), "no .npy file"),
    "more rows than there are": (lambda data: header((10**15, DIM)) + data[128:], "holds .1000000000000000, 16"),
    "negative": (lambda data: header((-1, DIM)) + data[128:], "no .npy file"),
    "no comma": (lambda data: data.replace(b", 16)", b" 16)"), "no .npy file"),
    "one dimension": (lambda data: header((len(data[128:]) // 4,)) + data[128:], "holds"),
    "columns first": (lambda data: saved(np.asfortranarray(np.load(io.BytesIO(data)))), "no .npy file"),
    "doubles": (lambda data: saved(np.load(io.BytesIO(data)).astype("f8")), "float64"),
    "big endian": (lambda data: saved(np.load(io.BytesIO(data)).astype(">f4")), "no .npy file"),
    "pickled": (lambda data: saved(np.array([{"a": 1}, None], dtype=object)), "no .npy file"),
    "other dimension": (lambda data: saved(np.load(io.BytesIO(data))[:, :8]), "holds .23, 8.*not .23, 16"),
    "a row less": (lambda data: saved(np.load(io.BytesIO(data))[1:]), "holds .22, 16.*not .23, 16"),
    "not a number": (lambda data: with_row(data, np.nan), "row 3 of .* no unit vector"),
    "infinite": (lambda data: with_row(data, np.inf), "row 3 of .* no unit vector"),
    "too long": (lambda data: with_row(data, 2 * unit(1)), "row 3 of .* no unit vector"),
    "huge": (lambda data: with_row(data, 3e38), "row 3 of .* no unit vector"),
}


@pytest.mark.parametrize("case", BAD_ROWS)
def test_vectors(folder: Path, case: str) -> None:
    change, match = BAD_ROWS[case]
    tamper(folder, ROWS, change((folder / ROWS).read_bytes()))
    refused(folder, match)


def test_as_many_rows_as_the_manifest_claims(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_bytes())
    manifest["parts"][0]["vectors"]["common"] = manifest["counts"]["vectors"]["common"] = 10**11
    (folder / "manifest.json").write_text(json.dumps(manifest))
    tamper(folder, ROWS, header((10**11, DIM)) + (folder / ROWS).read_bytes()[128:])
    refused(folder, "cut short")


def line_of(data: bytes, title: str) -> int:
    return next(n for n, line in enumerate(data.split(b"\n")) if json.loads(line)["asset"]["title"] == title)


Change = Callable[[dict[str, Any]], object]
PHOTO = asset_id("photo")
BAD_LINES: dict[str, tuple[Change, str]] = {
    "a later row": (lambda x: x["moments"][0]["vectors"]["common"].update(row=1), "row 1 of common where 0 comes"),
    "a row that is not there": (lambda x: x["moments"][0]["vectors"]["common"].update(row=10**6), "row 1000000"),
    "a row below 0": (lambda x: x["moments"][0]["vectors"]["common"].update(row=-1), "greater than or equal to 0"),
    "a row of text": (lambda x: x["moments"][0]["vectors"]["common"].update(row="0"), "valid integer"),
    "a row left out": (lambda x: x["moments"][0]["vectors"].pop("common"), "row 1 of common where 0 comes"),
    "another space": (lambda x: x["moments"][0]["vectors"].update(taste={"row": 0}), "no vectors of taste"),
    "a space that is a path": (lambda x: x["moments"][0]["vectors"].update({"../x": {"row": 0}}), "pattern"),
    "nowhere": (lambda x: x.update(sources=[]), "at least 1 item"),
    "a path from here": (lambda x: x["sources"][0].update(location="photos/a"), "absolute"),
    "a path upwards": (lambda x: x["sources"][0].update(location="/data/uploads/../../etc/passwd"), "absolute"),
    "one path twice": (lambda x: x["sources"].append(x["sources"][0]), "path twice"),
    "no hash": (lambda x: x["asset"].update(id="../" + PHOTO[3:]), "line 1.*asset.id"),
    "a short hash": (lambda x: x["asset"].update(id="ab"), "asset.id"),
    "another medium": (lambda x: x["asset"].update(media="smell"), "asset.media"),
    "a type of several lines": (lambda x: x["asset"].update(mime="image/png\r\nSet-Cookie: a=b"), "asset.mime"),
    "a size beyond all": (lambda x: x["asset"].update(size=1 << 70), "asset.size"),
    "metadata that is no JSON": (lambda x: x["asset"]["metadata"].update(width=float("nan")), "JSON compliant"),
    "a moment of another asset": (
        lambda x: x["moments"][0].update(id=asset_id("p1") + "-picture0"),
        "cannot have the id",
    ),
    "a moment with a path": (lambda x: x["moments"][0].update(id=PHOTO + "-picture0/../../x"), "cannot have the id"),
    "another kind": (lambda x: x["moments"][0].update(kind="smell"), "kind"),
    "a moment twice": (lambda x: x["moments"].append({**x["moments"][0], "vectors": {}}), "moment twice"),
    "another text field": (lambda x: x["moments"][0]["fields"].update(maker="x"), "fields"),
    "SQL among the fields": (
        lambda x: x["done"][0].update(fields=["title = NULL; DROP TABLE asset; --"]),
        "done.0.fields",
    ),
    "an enricher twice": (lambda x: x["done"].append(x["done"][0]), "enricher twice"),
    "an attachment with a path": (lambda x: x.update(attachments=["../../x"]), "attachments"),
    "an attachment that is not there": (lambda x: x.update(attachments=["preview"]), "should be"),
    "a thumbnail left out": (lambda x: x["moments"][0].pop("thumbnail"), "should be"),
    "a score of text": (lambda x: x["moments"][0]["labels"][0].update(score="1"), "score"),
    "an endless score": (lambda x: x["moments"][0]["labels"][0].update(score=float("inf")), "score"),
    "a box of three": (lambda x: x["moments"][0]["labels"][0].update(box=[1, 2, 3]), "box"),
    "more than there is": (lambda x: x.update(surprise=1), "surprise"),
    "no moments": (lambda x: x.pop("moments"), "moments: Field required"),
}


@pytest.mark.parametrize("case", BAD_LINES)
def test_lines(folder: Path, case: str) -> None:
    change, match = BAD_LINES[case]
    data = (folder / LINES).read_bytes()
    lines = data.split(b"\n")[:-1]
    assert line_of(data, "photo") == 0
    line = json.loads(lines[0])
    change(line)
    lines[0] = json.dumps(line, separators=(",", ":")).encode()
    tamper(folder, LINES, b"\n".join(lines) + b"\n")
    refused(folder, match)


BAD_TEXT: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "a list": (lambda data: b"[]\n" + data, "line 1 .*dictionary|line 1 .*object"),
    "an empty line": (lambda data: b"\n" + data, "line 1"),
    "no end": (lambda data: data[:-1], "does not end"),
    "nothing": (lambda data: b"", "more in it than the assets"),
    "not UTF-8": (lambda data: data.replace(b"photo", b"ph\xff\xfeo", 1), "line 1"),
    "half a character": (lambda data: data.replace(b'"photo"', b'"\\ud800"', 1), "line 1"),
    "lists without end": (lambda data: b'{"asset":' + b"[" * 1_000_000 + b"\n" + data, "line 1 .*recursion"),
    "an asset twice": (lambda data: data + data.split(b"\n")[0] + b"\n", "line 24 .*"),
    "an asset less": (lambda data: data[: data[:-1].rindex(b"\n") + 1], "more in it than the assets"),
    "zeros": (lambda data: b"\x00" * 5000 + b"\n", "line 1"),
}


@pytest.mark.parametrize("case", BAD_TEXT)
def test_text_that_is_no_lines(folder: Path, case: str) -> None:
    change, match = BAD_TEXT[case]
    tamper(folder, LINES, change((folder / LINES).read_bytes()))
    refused(folder, match)


def test_a_line_without_end(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crossmedia.retrieval.archive.reading.MAX_LINE_BYTES", 5000)
    tamper(folder, LINES, b"x" * 20_000 + b"\n")
    refused(folder, "line 1 .* does not end")


def member(name: str, data: bytes = b"", **values: Any) -> bytes:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for key, value in values.items():
        setattr(info, key, value)
    return info.tobuf(tarfile.GNU_FORMAT) + data + bytes(-len(data) % 512)


FIRST = f"thumbnails/{PHOTO}-picture0.jpg"
BAD_MEDIA: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "cut": (lambda data: data[:-1500], "cut short|more in it"),
    "empty": (lambda data: b"", "cut short"),
    "no end": (lambda data: data[:-1024], "more in it|cut short"),
    "more at the end": (lambda data: data + bytes(512), "more in it"),
    "a member more": (lambda data: data[:-1024] + member("thumbnails/x.jpg") + bytes(1024), "more in it"),
    "upwards": (lambda data: member("../../../etc/passwd", b"x") + data, "'../../../etc/passwd' where"),
    "from the root": (lambda data: member("/etc/passwd", b"x") + data, "where thumbnails"),
    "a link": (lambda data: member(FIRST, type=tarfile.SYMTYPE, linkname="/etc/passwd") + data, "where thumbnails"),
    "a hard link": (
        lambda data: member(FIRST, type=tarfile.LNKTYPE, linkname="/etc/passwd") + data,
        "where thumbnails",
    ),
    "a device": (lambda data: member(FIRST, type=tarfile.CHRTYPE) + data, "where thumbnails"),
    "with holes": (lambda data: member(FIRST, type=tarfile.GNUTYPE_SPARSE, size=1 << 50) + data, "where thumbnails"),
    "a long header": (lambda data: member(FIRST, type=tarfile.XHDTYPE, size=1 << 50) + data, "where thumbnails"),
    "larger than the file": (lambda data: member(FIRST, size=1 << 27) + data, "claims to have 134,217,728"),
    "larger than all": (lambda data: member(FIRST, size=1 << 60) + data, "claims to have"),
    "smaller than nothing": (lambda data: member(FIRST, size=-5) + data, "claims to have -5"),
    "a wrong sum": (lambda data: b"\x01" + data[1:], "checksum"),
    "a compressed one": (lambda data: __import__("gzip").compress(data), "invalid header"),
}


@pytest.mark.parametrize("case", BAD_MEDIA)
def test_pictures(folder: Path, case: str) -> None:
    change, match = BAD_MEDIA[case]
    tamper(folder, MEDIA, change((folder / MEDIA).read_bytes()))
    refused(folder, match)


BAD_MANIFEST: dict[str, tuple[Change, str]] = {
    "no format": (lambda x: x.pop("format"), "format"),
    "a format of text": (lambda x: x.update(format="1"), "format"),
    "an older one": (lambda x: x.update(format=0), "format"),
    "a path among the files": (
        lambda x: x["files"].update({"../../x": {"size": 1, "sha256": "0" * 64}}),
        "files are not",
    ),
    "a file less": (lambda x: x["files"].pop(MEDIA), "files are not"),
    "a space that is a path": (lambda x: x["spaces"][0].update(name="../../x"), "spaces.0.name"),
    "a space twice": (lambda x: x["spaces"].append(x["spaces"][0]), "space is there twice"),
    "a space less": (lambda x: x["spaces"].pop(0), "not among the spaces"),
    "a space of no dimension": (lambda x: x["spaces"][0].update(dim=0), "spaces.0.dim"),
    "a space of other dimension": (lambda x: x["spaces"][0].update(dim=17), "not .23, 17"),
    "a head that is a path": (lambda x: x.update(heads=["../x@0123456789ab"]), "heads"),
    "a head that is not there": (lambda x: x.update(heads=["x@0123456789ab"]), "files are not"),
    "the middle of a change": (lambda x: x["spaces"][0].update(revision="1 → 2"), "heads"),
    "a head that nobody used": (lambda x: x["spaces"][0].update(revision="1+align:x@0123456789ab"), "heads"),
    "other counts": (lambda x: x["counts"].update(assets=5), "counts"),
    "other counts of a part": (lambda x: (x["counts"].update(assets=5), x["parts"][0].update(assets=5)), "as many"),
    "fewer than none": (lambda x: x["parts"][0].update(assets=-1), "greater than or equal"),
    "a sum of text": (lambda x: x["files"][MEDIA].update(sha256="zz"), "files"),
    "pairs without number": (lambda x: x.update(unrelated=[{"space": "common"}]), "unrelated"),
}


@pytest.mark.parametrize("case", BAD_MANIFEST)
def test_manifest(folder: Path, case: str) -> None:
    change, match = BAD_MANIFEST[case]
    manifest = json.loads((folder / "manifest.json").read_bytes())
    change(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    refused(folder, match)


def test_a_newer_format(folder: Path) -> None:
    (folder / "manifest.json").write_text(json.dumps({"format": 2, "surprise": []}))
    refused(folder, "format 2", ArchiveNewer)


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b"\xff", b"[" * 100_000, b'{"format":1}', b'{"format":NaN}'])
def test_a_manifest_of_something_else(folder: Path, text: bytes) -> None:
    (folder / "manifest.json").write_bytes(text)
    refused(folder, "manifest.json")


def test_no_manifest(tmp_path: Path, folder: Path) -> None:
    (folder / "manifest.json").unlink()
    refused(folder, "not an export")
    with pytest.raises(ArchiveUnusable, match="not an export"):
        Archive(tmp_path / "nowhere")


@pytest.mark.parametrize("name", [LINES, ROWS, MEDIA])
@pytest.mark.parametrize("wrong", ["missing", "shorter", "other", "link", "folder", "pipe"])
def test_files_that_are_not_what_the_manifest_says(folder: Path, name: str, wrong: str) -> None:
    path = folder / name
    data = path.read_bytes()
    if wrong != "shorter" and wrong != "other":
        path.rename(folder / "aside")
    if wrong == "shorter":
        path.write_bytes(data[:-1])
    elif wrong == "other":
        path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    elif wrong == "link":
        path.symlink_to(folder / "aside")
    elif wrong == "folder":
        path.mkdir()
    elif wrong == "pipe":
        os.mkfifo(path)
    refused(folder, {"missing": "missing", "shorter": "bytes, not", "other": "SHA-256"}.get(wrong, "no regular file"))


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_change_is_refused_or_harmless(
    tmp_path_factory: pytest.TempPathFactory, original: Path, data: st.DataObject
) -> None:
    folder = Path(shutil.copytree(original, tmp_path_factory.mktemp("any") / "archive"))
    name = data.draw(st.sampled_from(sorted(path.name for path in original.iterdir())))
    changed = bytearray((original / name).read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        first = data.draw(st.integers(0, len(changed)))
        last = min(len(changed), first + data.draw(st.integers(0, 40)))
        changed[first:last] = data.draw(
            st.binary(max_size=40) | st.sampled_from((b'"', b"{}", b"null", b"-1", b"\n", b"\x00" * 8))
        )
    if name == "manifest.json":
        (folder / name).write_bytes(changed)
    else:
        tamper(folder, name, bytes(changed))
    store = LocalStore(folder.parent / "store")
    try:
        bring(Archive(folder), store, Heads(folder.parent / "heads"))
    except CrossmediaError:
        assert list(store.asset_ids()) == []
    else:
        assert len(list(store.asset_ids())) == 23
        assert store.verify() == []
    store.close()
