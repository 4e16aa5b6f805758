"""Everything over one data directory, in this process."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from crossmedia.api import alignment, labels, moving, people, plates, voices
from crossmedia.api.asking import AskRequest
from crossmedia.api.invalid import InvalidRequest
from crossmedia.api.schema import SearchRequest, answer_json, asset_json
from crossmedia.api.service import Service
from crossmedia.api.settings import read_settings
from crossmedia.api.summaries import summed_up
from crossmedia.client import search_json
from crossmedia.retrieval.captions import Format, written
from crossmedia.retrieval.store import NotFound


class Library:
    """Everything over one data directory, in this process."""

    def __init__(self, data: str | Path, **settings: Any) -> None:
        self._service = Service(read_settings(data=Path(data), **settings))

    def index(self, *paths: str | Path, collection: str = "default", without: Sequence[str] = ()) -> dict[str, Any]:
        """Index files and folders and enrich them; returns the report: counts, `assets` by path, `failures`, `gone`."""
        self._service.wanted_enrichers(without=without)  # an unknown name is told before hours of work
        report = self._service.index([Path(path) for path in paths], collection)
        enriched, notes = self._service.enrich(without=without)
        return {**report.as_dict(), "assets": report.assets, **enriched.as_dict(), "notes": notes}

    def search(
        self,
        text: str | Sequence[str] = (),
        *,
        files: Sequence[str | Path] = (),
        weights: Sequence[float] = (),
        **query: Any,
    ) -> dict[str, Any]:
        """`{"hits": […], "took_ms": …}`; further arguments as in POST /v1/search: negative, media, k, filters, …

        `weights`: one for each of `files`, or none; a negative one pushes away. Raises InvalidRequest (code
        `invalid_request`).
        """
        request = SearchRequest.of(search_json(text, weights, query))
        given = zip(files, request.weights(len(files)), strict=True)
        return answer_json(self._service.search(request.query([self._service.example(Path(f), w) for f, w in given])))

    def ask(
        self,
        question: str = "",
        *,
        asset: str | None = None,
        image: str | Path | None = None,
        voice: str | Path | None = None,
        **scope: Any,
    ) -> dict[str, Any]:
        """An answer as POST /v1/ask gives it: `answer`, `answered`, `confidence`, `citations`, …

        `scope`: `media`, `filters`. `voice`: a recording of the question. Raises InvalidRequest, NotFound,
        NotUnderstood."""
        request = AskRequest.of({"question": question, "asset": asset, **scope})
        picture, spoken = (None if one is None else Path(one) for one in (image, voice))
        return self._service.asking.ask(request, picture, spoken)

    def summary(self, asset: str, sentences: int = 3) -> dict[str, Any]:
        """What an asset is about: `sentences` of it, `descriptions` made from labels, `chapters`. Raises NotFound."""
        return summed_up(self._service, asset, sentences)

    def get(self, asset: str) -> dict[str, Any]:
        """An asset with its moments; raises NotFound."""
        found = self._service.resolve(asset)
        described = self._service.store.asset(found)
        if described is None:
            raise NotFound(f"no asset {asset}", "it was removed just now")
        return asset_json(described, self._service.store.sources(found), self._service.store.moments(found))

    def transcript(self, asset: str, form: Format = "json") -> str | dict[str, Any]:
        """What is said in an asset: `json` with words and speakers, `vtt`, `srt` or `text`. Raises NotFound,
        NoTranscript."""
        return written(self._service.store.moments(self._service.resolve(asset)), form)

    def voices(self) -> list[dict[str, Any]]:
        """Who speaks in the collection: `name`, `seconds`, `turns`, `assets`, and where each is heard longest."""
        return voices.listed(self._service)

    def name_voice(self, voice: str, to: str) -> None:
        """Give a voice another name; raises NotFound, NameTaken, BadName."""
        voices.name(self._service, voice, to)

    def merge_voices(self, names: Sequence[str], into: str | None = None) -> None:
        """Several voices are one person's, called `into` or as the first; raises NotFound, BadName."""
        voices.merge(self._service, list(names), into or names[0])

    def verify_voices(self, one: str | Path, other: str | Path) -> dict[str, Any]:
        """Whether two recordings are of one speaker: `probability`, `similarity`, `same`, `model`. Raises
        NobodySpeaks."""
        return voices.verify(self._service, Path(one), Path(other))

    def people(self) -> list[dict[str, Any]]:
        """Whose faces are in the collection: `name`, `faces`, `assets`, `seconds`, and the best face of each. The
        setting `faces` turns them on."""
        return people.listed(self._service)

    def appearances(self, person: str) -> list[dict[str, Any]]:
        """When and where somebody appears: by asset `spans` (s) and `faces`. Raises NotFound."""
        found: list[dict[str, Any]] = people.appearances(self._service, person)["appearances"]
        return found

    def name_person(self, person: str, to: str) -> None:
        """Give somebody another name; raises NotFound, NameTaken, BadName."""
        people.name(self._service, person, to)

    def merge_people(self, names: Sequence[str], into: str | None = None) -> None:
        """Several are one person, called `into` or as the first; raises NotFound, BadName."""
        people.merge(self._service, list(names), into or names[0])

    def split_person(
        self, person: str, to: str | None = None, *, faces: Sequence[str] = (), assets: Sequence[str] = ()
    ) -> dict[str, Any]:
        """Some of somebody's faces are another's: those named, or the smaller of two groups; returns `name` and
        `faces`."""
        return people.split(self._service, person, to, faces, assets)

    def forget_person(self, person: str) -> int:
        """Remove somebody's faces with vectors, thumbnails and labels, in files as well; returns how many those
        were."""
        return int(people.forget(self._service, person)["faces"])

    def verify_faces(self, one: str | Path, other: str | Path) -> dict[str, Any]:
        """Whether two pictures show one person: `probability`, `similarity`, `same`, `model`. Raises NoFace,
        ModelMissing."""
        return people.verify(self._service, Path(one), Path(other))

    def labels(self, *kinds: str, limit: int = 20) -> list[dict[str, Any]]:
        """What was recognised, by kind: `kind`, `values` (how many), `top` (`value`, `moments`, `assets`)."""
        return labels.listed(self._service, kinds, limit)

    def plate(self, text: str) -> list[dict[str, Any]]:
        """Where a car's plate is seen, exactly or with one character read wrong: `asset`, `moment`, `path`, `value`,
        `distance`, `box`, `score`, … Raises BadPlate."""
        return plates.seen(self._service, text)

    def lookup(
        self, *, file: str | Path | None = None, hash: str | None = None, asset: str | None = None
    ) -> dict[str, Any]:
        """Whether one of these is known: `hashes`, `matches` (bank, action, distance, quality), `notes`. Nothing is
        stored.

        `hash`: `KIND:HASH`. Raises InvalidRequest, BadHash, NotFound.
        """
        banks = self._service.banks
        if file is not None and hash is None and asset is None:
            return banks.lookup_file(Path(file)).as_dict()
        if hash is not None and file is None and asset is None:
            return banks.lookup_hash(hash).as_dict()
        if asset is not None and file is None and hash is None:
            return banks.lookup_asset(asset).as_dict()
        raise InvalidRequest("name a file, a hash or an asset", "give one of the three")

    def trust(self, *, file: str | Path | None = None, asset: str | None = None) -> dict[str, Any]:
        """Where a file says that it comes from (`facts`, `manifest`), and scores of forgery (`indications`, never
        verdicts) with what is published of their `models`. A file is not stored; of an asset it is told what the
        collection keeps.

        Raises InvalidRequest, NotFound.
        """
        if file is not None and asset is None:
            return self._service.trust.of_file(Path(file)).as_dict()
        if asset is not None and file is None:
            return self._service.trust.of_asset(asset).as_dict()
        raise InvalidRequest("name a file or an asset", "give one of the two")

    def banks(self) -> list[dict[str, Any]]:
        """Every bank: `name`, `action`, `enabled`, `hashes` of each kind, `created`."""
        return self._service.banks.listed()

    def create_bank(self, name: str, action: str = "review") -> dict[str, Any]:
        """An empty bank; `action`: allow, review or block. Raises BadBank, BankTaken."""
        return self._service.banks.create(name, action)

    def add_to_bank(self, bank: str, *what: str | Path, tags: str = "", crops: bool = False) -> dict[str, Any]:
        """Bank the hashes of files or assets, or hashes; returns `added`, and in `indexed` what of the collection
        matches.

        `crops`: picture files also as they are without 5 and 10 % of their sides.
        """
        return self._service.banks.add(bank, what, tags=tags, crops=crops)

    def import_bank(self, bank: str, table: str | Path, *, skip_bad: bool = False) -> dict[str, Any]:
        """Read a CSV of hashes into a bank: all of it, or nothing where a line is broken and `skip_bad` is not set."""
        return self._service.banks.load(bank, Path(table), skip_bad=skip_bad)

    def review(self, action: str = "review", limit: int = 100) -> list[dict[str, Any]]:
        """Assets of which this is the last word, newest first: `asset`, `path`, `action`, `by`, `reasons`, `note`,
        `at`."""
        return self._service.moderation.queue(action, limit)

    def decide(self, asset: str, action: str, by: str, note: str = "") -> dict[str, Any]:
        """What is to be done with an asset: allow, review or block, which is neither found nor served. Raises
        NotFound."""
        return self._service.moderation.decide(asset, action, by, note)

    def align(self, pairs: str | Path, name: str | None = None, **options: Any) -> dict[str, Any]:
        """Learn a head from a CSV of pairs (`crossmedia align train`); returns its figures, and in `saved` whether it
        is kept.

        Options: space, held_out (share), passes, skip (unreadable files), force. Raises PairsUnusable, TooFewPairs.
        """
        return alignment.train(self._service, Path(pairs), name=name, **options).told

    def reindex(self, head: str | None = None, *, builtin: bool = False, again: bool = False) -> dict[str, Any]:
        """Make the vectors anew: with a head, without any (`builtin`), or by the models installed now; returns the
        report."""
        report, heads = alignment.reindex(self._service, head, builtin=builtin, again=again)
        return {"heads": heads, **report.as_dict()}

    def export_to(self, folder: str | Path) -> dict[str, Any]:
        """Write the collection into a new folder; returns the report: counts, bytes, rates. Raises FolderTaken."""
        report = moving.export(self._service, Path(folder))
        assert report is not None, "nobody can stop it"
        return report

    def import_from(self, folder: str | Path, *, merge: bool = False) -> dict[str, Any]:
        """Write an exported collection into this one; returns the report. Raises ArchiveUnusable, NotEmpty,
        SpaceMismatch."""
        return moving.bring(self._service, Path(folder), merge=merge)

    def delete(self, asset: str) -> None:
        """Remove an asset from the index; its file stays, except a copy the service made of an upload."""
        self._service.delete([self._service.resolve(asset)])

    def close(self) -> None:
        self._service.close()

    def __enter__(self) -> Library:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_library(data: str | Path = ".crossmedia", **settings: Any) -> Library:
    """The library in a data directory, made if it is not there. `settings` as in `api.settings.Settings`."""
    return Library(data, **settings)
