"""Archives of strangers: what they say of places gives them nothing of ours, and takes nothing."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

import crossmedia
from crossmedia.api.server import create_app
from crossmedia.api.service import Service
from crossmedia.embeddings.catalog import sha256
from crossmedia.retrieval.documents import Source
from crossmedia.retrieval.places import imported, is_here
from tests.api.helpers import command, kept, png, settings, upload

MakeArchive = Callable[..., Path]


@pytest.fixture
def archive(tmp_path: Path) -> MakeArchive:
    """The archive of a collection of one file, which says that it lies at `place`, as long and old as it says."""

    def make(content: bytes, place: Path, **claims: int) -> Path:
        room = tmp_path / f"stranger-{place.name}"
        room.mkdir()
        (room / "theirs.png").write_bytes(content)
        with closing(Service(settings(room))) as service:
            service.indexing.index([room / "theirs.png"])
            store = service.runtime.store
            [held] = store.stored_assets(list(store.asset_ids()))
            store.restore([replace(held, sources=(replace(held.sources[0], location=str(place), **claims),))])
            service.archiving.export_to(room / "archive")
        return room / "archive"

    return make


def bring(tmp_path: Path, folder: Path, roots: tuple[str, ...] = ()) -> dict[str, object]:
    with closing(Service(settings(tmp_path, roots=roots))) as service:
        return service.archiving.import_from(folder, merge=True)


@contextmanager
def served(tmp_path: Path, roots: tuple[str, ...] = ()) -> Iterator[TestClient]:
    with TestClient(create_app(settings(tmp_path, roots=roots))) as http:
        yield http


def test_the_place_of_an_upload_evicts_nothing_and_deletes_nothing(tmp_path: Path, archive: MakeArchive) -> None:
    with served(tmp_path) as http:
        [ours] = upload(http, a_png=png("red"))["report"]["uploaded"]
    [place] = [path.resolve() for path in (tmp_path / "data" / "uploads").rglob("a.png")]
    folder = archive(png("blue"), place)
    report = bring(tmp_path, folder)
    theirs = sha256(folder.parent / "theirs.png")
    shown = str(folder.parent / "theirs.png")
    assert report["conflicts"] == (
        {"collection": "default", "location": str(place), "path": shown, "asset": theirs, "here": ours},
    )
    for _ in range(2):  # a start looks for uploads that nothing names
        with served(tmp_path) as http:
            assert http.get(f"/v1/assets/{ours}/content").content == png("red")
            assert http.get(f"/v1/assets/{theirs}").status_code == 200
            assert http.get(f"/v1/assets/{theirs}/content").status_code == 410
        assert kept(tmp_path) == ["a.png"]
    with served(tmp_path) as http:
        assert http.delete(f"/v1/assets/{theirs}").status_code == 200
        assert http.get(f"/v1/assets/{ours}/content").content == png("red")
    assert kept(tmp_path) == ["a.png"]


def test_a_file_outside_is_not_served_for_its_size_and_time(tmp_path: Path, archive: MakeArchive) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_bytes(b"The treasure lies under the oak.")
    status = secret.stat()
    folder = archive(png("blue"), secret, size=status.st_size, mtime_ns=status.st_mtime_ns)
    bring(tmp_path, folder)
    theirs = sha256(folder.parent / "theirs.png")
    with served(tmp_path) as http:
        refused = http.get(f"/v1/assets/{theirs}/content")
        assert (refused.status_code, refused.json()["error"]["code"]) == (410, "source_gone")


@pytest.mark.parametrize("inside", [True, False])
def test_a_file_is_served_from_the_roots_only(tmp_path: Path, archive: MakeArchive, inside: bool) -> None:
    place = tmp_path / "photos" / "blue.png"
    place.parent.mkdir()
    place.write_bytes(png("blue"))
    roots = (str(place.parent),) if inside else ()
    folder = archive(png("blue"), place)
    assert bring(tmp_path, folder, roots)["unseen"] == (0 if inside else 1)
    with served(tmp_path, roots) as http:
        answer = http.get(f"/v1/assets/{sha256(place)}/content")
        assert answer.status_code == (200 if inside else 410)


def test_a_link_out_of_the_roots_is_not_followed(tmp_path: Path, archive: MakeArchive) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "outside.png").write_bytes(png("blue"))
    link = tmp_path / "photos" / "link.png"
    link.symlink_to(tmp_path / "outside.png")
    assert bring(tmp_path, archive(png("blue"), link), (str(tmp_path / "photos"),))["unseen"] == 1


def test_a_file_of_the_working_folder_is_no_place_of_an_archive(
    tmp_path: Path, archive: MakeArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = archive(png("blue"), Path("/photos/theirs.png"))
    bring(tmp_path, folder)
    theirs = sha256(folder.parent / "theirs.png")
    here = tmp_path / imported(theirs, "/photos/theirs.png")
    here.parent.mkdir(parents=True)
    here.write_bytes(png("blue"))
    monkeypatch.chdir(tmp_path)
    with served(tmp_path, (str(tmp_path),)) as http:
        assert http.get(f"/v1/assets/{theirs}/content").status_code == 410
    with closing(Service(settings(tmp_path))) as service:
        assert service.indexing.index([folder.parent / "theirs.png"]).as_dict()["moved"] == 1


def test_indexing_sees_the_files_of_an_import(tmp_path: Path, media: Path) -> None:
    options = {"profile": "toy", "decode_workers": 1}
    with crossmedia.open_library(tmp_path / "one", **options) as one:
        one.index(media)
        one.export_to(tmp_path / "archive")
    with closing(Service(settings(tmp_path))) as service:
        service.archiving.import_from(tmp_path / "archive")
        store = service.runtime.store

        def places() -> list[Source]:
            return [located.source for located in store.located()]

        paths = {source.path for source in places()}
        assert not any(is_here(source.location) for source in places())
        report = service.indexing.index([media]).as_dict()
        assert (report["moved"], report["added"]) == (4, 0)
        assert {source.location for source in places()} == {str(path.resolve()) for path in media.iterdir()}
        assert {source.path for source in places()} == paths
        [asset] = [located.asset for located in store.located() if located.source.path.endswith("a.png")]
        assert service.assets.file(asset).path == (media / "a.png").resolve()


def test_the_command_names_conflicts(tmp_path: Path, media: Path, environment: dict[str, str]) -> None:
    def run(data: str, *words: str) -> subprocess.CompletedProcess[str]:
        return command(environment, *words, "--data", str(tmp_path / data))

    run("one", "index", str(media / "note.txt"))
    run("one", "export", str(tmp_path / "archive"))
    (media / "note.txt").write_text("Green boats stay on the lake.")
    run("two", "index", str(media / "note.txt"))
    assert f"conflict {media / 'note.txt'} is " in run("two", "import", str(tmp_path / "archive"), "--merge").stderr
    imported_again = run("two", "import", str(tmp_path / "archive"), "--merge", "--json").stdout
    [conflict] = json.loads(imported_again)["conflicts"]
    assert conflict["location"] == str((media / "note.txt").resolve())
    hits = json.loads(run("two", "search", "boats", "--json").stdout)["hits"]
    assert {hit["asset"] for hit in hits} == {conflict["asset"], conflict["here"]}
