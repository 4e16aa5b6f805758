"""Everything over one data directory, in this process."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from crossmedia.api.invalid import InvalidRequest
from crossmedia.api.schema import SearchRequest, search_answer
from crossmedia.api.service import Service
from crossmedia.api.settings import read_settings
from crossmedia.api.use_cases.asking import AskRequest
from crossmedia.client import search_json
from crossmedia.indexer.enrichers.registry import require
from crossmedia.retrieval.captions import TranscriptFormat


class Maintenance:
    """What needs the data directory itself, so that there is no way to it over HTTP."""

    _service: Service

    def align(self, pairs: str | Path, name: str | None = None, **options: Any) -> dict[str, Any]:
        """Learn a head from a CSV of pairs (`crossmedia align train`); returns its figures, and in `saved` whether it
        is kept.

        Options: space, held_out (share), passes, skip (unreadable files), force. Raises PairsUnusable, TooFewPairs.
        """
        return self._service.alignment.train(Path(pairs), name=name, **options).report

    def reindex(self, head: str | None = None, *, builtin: bool = False, again: bool = False) -> dict[str, Any]:
        """Make the vectors anew: with a head, without any (`builtin`), or by the models installed now; returns the
        report."""
        report, heads = self._service.alignment.reindex(head, builtin=builtin, again=again)
        return {"heads": heads, **report.as_dict()}

    def add_vocabulary(
        self, name: str, labels: Sequence[str] = (), *, file: str | Path | None = None
    ) -> dict[str, Any]:
        """Label every picture with a list of names: `name`, `labels` (how many), `seen`, `top`, `notes` (what could not
        be labelled).

        `labels`: lines (`LABEL, SYNONYM, @ASSET`), or in a `file`; neither: the vocabulary of that name that comes
        along. Raises BadVocabulary, NoVocabulary.
        """
        labelling = self._service.labelling
        if file is not None:
            labelling.add_file(name, Path(file))
        elif labels:
            labelling.add(name, "\n".join(labels))
        else:
            labelling.add_bundled(name)
        notes = labelling.label()
        return {**labelling.describe(name).model_dump(), "notes": notes}

    def remove_vocabulary(self, name: str) -> list[str]:
        """With its labels; returns what could not be done. Raises NoVocabulary, BadVocabulary."""
        self._service.labelling.remove(name)
        return self._service.labelling.label()

    def vocabularies(self) -> list[dict[str, Any]]:
        """Each with `name`, `labels`, `seen` and `top`."""
        return [one.model_dump() for one in self._service.labelling.list_vocabularies()]

    def export_to(self, folder: str | Path) -> dict[str, Any]:
        """Write the collection into a new folder; returns the report: counts, bytes, rates. Raises FolderTaken."""
        report = self._service.archiving.export_to(Path(folder))
        assert report is not None, "nobody can stop it"
        return report

    def import_from(self, folder: str | Path, *, merge: bool = False) -> dict[str, Any]:
        """Write an exported collection into this one; returns the report. Raises ArchiveUnusable, NotEmpty,
        SpaceMismatch."""
        return self._service.archiving.import_from(Path(folder), merge=merge)


class Library(Maintenance):
    """A collection in a data directory. Results are plain dicts, as the service gives them over HTTP."""

    def __init__(self, data: str | Path, **settings: Any) -> None:
        self._service = Service(read_settings(data=Path(data), **settings))

    def index(self, *paths: str | Path, collection: str = "default", without: Sequence[str] = ()) -> dict[str, Any]:
        """Index files and folders and enrich them; returns the report: counts, `assets` by path, `failures`, `gone`."""
        require(without)  # an unknown name is told before hours of work
        report = self._service.indexing.index([Path(path) for path in paths], collection)
        enriched, notes = self._service.indexing.enrich(without=without)
        return {**report.as_dict(), "assets": report.assets, **enriched.as_dict(), "notes": notes}

    def search(
        self,
        text: str | Sequence[str] = (),
        *,
        files: Sequence[str | Path] = (),
        weights: Sequence[float] = (),
        **query: Any,
    ) -> dict[str, Any]:
        """`{"hits": […], "took_ms": …, "next": …}`; further arguments as in POST /v1/search: negative, media, k, sort,
        filters, …

        `weights`: one for each of `files`, or none; a negative one pushes away. `cursor`: `next` of an earlier page of
        the same search. Without texts and files everything that meets the filters is listed. Raises InvalidRequest
        (code `invalid_request`), BadCursor (`bad_cursor`).
        """
        searching = self._service.searching
        request = SearchRequest.of(search_json(text, weights, query))
        given = zip(files, request.weights(len(files)), strict=True)
        examples = [searching.example(Path(file), weight) for file, weight in given]
        return search_answer(searching.search(request.query(examples))).model_dump()

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
        NotUnderstood.
        """
        request = AskRequest.of({"question": question, "asset": asset, **scope})
        picture, recording = (None if one is None else Path(one) for one in (image, voice))
        return self._service.asking.ask(request, picture, recording).model_dump()

    def summary(self, asset: str, sentences: int = 3) -> dict[str, Any]:
        """What an asset is about: `sentences` of it, `descriptions` made from labels, `chapters`. Raises NotFound."""
        return self._service.summarizing.summarize(asset, sentences).model_dump()

    def get(self, asset: str) -> dict[str, Any]:
        """An asset with its moments; raises NotFound."""
        return self._service.assets.get(asset).model_dump()

    def where(self, asset: str, words: str, moment: str | None = None) -> dict[str, Any]:
        """Where words are in a picture: `seen`, `place`, `point`, `box`, `heat`; of a video in the key frame that is
        most like them, or of a `moment`. Raises InvalidRequest, NotFound, NothingToDraw, SourceGone."""
        return self._service.pointing.where(asset, words, moment).model_dump()

    def transcript(self, asset: str, form: TranscriptFormat = "json") -> str | dict[str, Any]:
        """What is said in an asset: `json` with words and speakers, `vtt`, `srt` or `text`. Raises NotFound,
        NoTranscript."""
        return self._service.assets.transcript(asset, form)

    def voices(self) -> list[dict[str, Any]]:
        """Who speaks in the collection: `name`, `seconds`, `turns`, `assets`, and where each is heard longest."""
        return [voice.model_dump() for voice in self._service.voices.list_voices()]

    def name_voice(self, voice: str, to: str) -> None:
        """Give a voice another name; raises NotFound, NameTaken, BadName."""
        self._service.voices.rename(voice, to)

    def merge_voices(self, names: Sequence[str], into: str | None = None) -> None:
        """Several voices are one person's, called `into` or as the first; raises NotFound, BadName."""
        self._service.voices.merge(names, into)

    def verify_voices(self, one: str | Path, other: str | Path) -> dict[str, Any]:
        """Whether two recordings are of one speaker: `probability`, `similarity`, `same`, `model`. Raises
        NobodySpeaks."""
        return self._service.voices.verify(Path(one), Path(other)).model_dump()

    def people(self) -> list[dict[str, Any]]:
        """Whose faces are in the collection: `name`, `faces`, `assets`, `seconds`, and the best face of each. The
        setting `faces` turns them on."""
        return [person.model_dump() for person in self._service.people.list_people()]

    def appearances(self, person: str) -> list[dict[str, Any]]:
        """When and where somebody appears: by asset `spans` (s) and `faces`. Raises NotFound."""
        return [each.model_dump() for each in self._service.people.appearances(person).appearances]

    def name_person(self, person: str, to: str) -> None:
        """Give somebody another name; raises NotFound, NameTaken, BadName."""
        self._service.people.rename(person, to)

    def merge_people(self, names: Sequence[str], into: str | None = None) -> None:
        """Several are one person, called `into` or as the first; raises NotFound, BadName."""
        self._service.people.merge(names, into)

    def split_person(
        self, person: str, to: str | None = None, *, faces: Sequence[str] = (), assets: Sequence[str] = ()
    ) -> dict[str, Any]:
        """Some of somebody's faces are another's: those named, or the smaller of two groups; returns `name` and
        `faces`."""
        return self._service.people.split(person, to, faces, assets).model_dump()

    def forget_person(self, person: str) -> int:
        """Remove somebody's faces with vectors, thumbnails and labels, in files as well; returns how many those
        were."""
        return self._service.people.forget(person).faces

    def verify_faces(self, one: str | Path, other: str | Path) -> dict[str, Any]:
        """Whether two pictures show one person: `probability`, `similarity`, `same`, `model`. Raises NoFace,
        ModelMissing."""
        return self._service.people.verify(Path(one), Path(other)).model_dump()

    def labels(self, *kinds: str, limit: int = 20) -> list[dict[str, Any]]:
        """What was recognised, by kind: `kind`, `values` (how many), `top` (`value`, `moments`, `assets`)."""
        return [kind.model_dump() for kind in self._service.labels.list_kinds(kinds, limit)]

    def plate(self, text: str) -> list[dict[str, Any]]:
        """Where a car's plate is seen, exactly or with one character read wrong: `asset`, `moment`, `path`, `value`,
        `distance`, `box`, `score`, … Raises BadPlate."""
        return [plate.model_dump() for plate in self._service.plates.find(text)]

    def lookup(
        self, *, file: str | Path | None = None, hash: str | None = None, asset: str | None = None
    ) -> dict[str, Any]:
        """Whether one of these is known: `hashes`, `matches` (bank, action, distance, quality), `notes`. Nothing is
        stored.

        `hash`: `KIND:HASH`. Raises InvalidRequest, BadHash, NotFound.
        """
        banks = self._service.banks
        if file is not None and hash is None and asset is None:
            return banks.lookup_file(Path(file)).model_dump()
        if hash is not None and file is None and asset is None:
            return banks.lookup_hash(hash).model_dump()
        if asset is not None and file is None and hash is None:
            return banks.lookup_asset(asset).model_dump()
        raise InvalidRequest("name a file, a hash or an asset", "give one of the three")

    def trust(self, *, file: str | Path | None = None, asset: str | None = None) -> dict[str, Any]:
        """Where a file says that it comes from (`facts`, `manifest`), and scores of forgery (`indications`, never
        verdicts) with what is published of their `models`. A file is not stored; of an asset it is told what the
        collection keeps.

        Raises InvalidRequest, NotFound.
        """
        if file is not None and asset is None:
            return self._service.trust.of_file(Path(file)).model_dump()
        if asset is not None and file is None:
            return self._service.trust.of_asset(asset).model_dump()
        raise InvalidRequest("name a file or an asset", "give one of the two")

    def banks(self) -> list[dict[str, Any]]:
        """Every bank: `name`, `action`, `enabled`, `hashes` of each kind, `created`."""
        return [bank.model_dump() for bank in self._service.banks.list_banks()]

    def create_bank(self, name: str, action: str = "review") -> dict[str, Any]:
        """An empty bank; `action`: allow, review or block. Raises BadBank, BankTaken."""
        return self._service.banks.create(name, action).model_dump()

    def add_to_bank(self, bank: str, *what: str | Path, tags: str = "", crops: bool = False) -> dict[str, Any]:
        """Bank the hashes of files or assets, or hashes; returns `added`, and in `indexed` what of the collection
        matches.

        `crops`: picture files also as they are without 5 and 10 % of their sides.
        """
        named = [Path(one) if Path(one).is_file() else str(one) for one in what]
        return self._service.banks.add(bank, named, tags=tags, crops=crops).model_dump()

    def import_bank(self, bank: str, table: str | Path, *, skip_bad: bool = False) -> dict[str, Any]:
        """Read a CSV of hashes into a bank: all of it, or nothing where a line is broken and `skip_bad` is not set."""
        return self._service.banks.load(bank, Path(table), skip_bad=skip_bad).model_dump()

    def review(self, action: str = "review", limit: int = 100) -> list[dict[str, Any]]:
        """Assets of which this is the last word, newest first: `asset`, `path`, `action`, `by`, `reasons`, `note`,
        `at`."""
        return [decision.model_dump() for decision in self._service.moderation.queue(action, limit)]

    def decide(self, asset: str, action: str, by: str, note: str = "") -> dict[str, Any]:
        """What is to be done with an asset: allow, review or block, which is neither found nor served. Raises
        NotFound."""
        return self._service.moderation.decide(asset, action, by, note).model_dump()

    def delete(self, asset: str) -> None:
        """Remove an asset from the index; its file stays, except a copy the service made of an upload."""
        self._service.assets.delete([self._service.runtime.resolve(asset)])

    def close(self) -> None:
        self._service.close()

    def __enter__(self) -> Library:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_library(data: str | Path = ".crossmedia", **settings: Any) -> Library:
    """The library in a data directory, made if it is not there. `settings` as in `crossmedia.api.settings.Settings`."""
    return Library(data, **settings)
