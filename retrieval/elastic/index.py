"""The index behind the alias: making it, its fields, reading documents of it by id and page by page."""

from __future__ import annotations

import base64
import copy
import json
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import resources
from typing import Any, Final

from elasticsearch import BadRequestError

from crossmedia.retrieval.elastic.connection import Connection, StoreBlocked, explain
from crossmedia.retrieval.elastic.docs import Doc, Version
from crossmedia.retrieval.store import StoreBusy, StoreUnusable

FORMAT: Final = 3
"""Of what the documents look like; kept in the mapping."""
OWN: Final = "words"
"""The analyser that is ours (`wording.terms_of`): the server splits at blanks. The others are its own."""
TERMS: Final = 1
"""Of what those terms are; kept in the mapping. An index without it was made before there were terms of any script: the
server splits its texts into words, and `ElasticStore.successor` gives it terms."""
PAGE: Final = 5_000
MGET: Final = 1_000
WRITERS: Final = ".writers"
"""After the name of an index: the alias it is written by."""
KEEP: Final = "2m"
"""How long a snapshot is kept between two pages."""


class Index:
    """`name`: the alias that is searched, or an index itself; `previews`: where thumbnails and attachments lie.

    `target` is where writing goes: an alias that the index behind `name` has for as long as it is that. When another
    index is put behind `name`, made with other models, nothing that is on its way may end up in that one.
    """

    def __init__(self, connection: Connection, name: str, previews: str) -> None:
        self.connection = connection
        self.client = connection.client
        self.name = name
        self.previews = previews
        self._target = ""
        self._fields: set[str] = set()
        self._analysers: dict[str, tuple[str, bool]] = {}
        self._written = False
        self._refreshing = threading.Lock()

    def exists(self) -> bool:
        return bool(self.connection.ask(self.client.indices.exists, index=self.name))

    @property
    def target(self) -> str:
        if not self._target:
            self._target = self.behind() + WRITERS
        return self._target

    def pinned(self, index: str = "") -> Index:
        """The same, written where this one is now, or to this index: whatever this one is aimed at meanwhile."""
        view = copy.copy(self)
        view.aim(index or self.target.removesuffix(WRITERS))
        return view

    def aim(self, index: str) -> None:
        """Write to this index from now on; '' is the one behind the alias."""
        target = index + WRITERS if index else ""
        if target != self._target:
            self._target, self._fields = target, set()

    def behind(self) -> str:
        """The index behind the alias."""
        [found] = self.connection.ask(self.client.indices.get, index=self.name)
        return str(found)

    def moved(self) -> bool:
        """Whether the index that is written lies behind the alias no more."""
        return not self.connection.ask(self.client.indices.exists_alias, name=self.target)

    def make(self, index: str | None = None) -> None:
        """The index, with its alias unless `index` is given, and the one of previews, where they are not there yet."""
        address = self.connection.address
        if not self.connection.ask(self.client.indices.exists, index=index or self.name):
            mapping = _packaged("mapping.json")
            for text in mapping["properties"]["words"]["properties"].values():
                text["analyzer"] = "whitespace" if address.analyzer == OWN else address.analyzer
            own = {"terms": TERMS} if address.analyzer == OWN else {}
            mapping["_meta"] = {"crossmedia": FORMAT, "analyzer": address.analyzer, "vectors": address.vectors, **own}
            name = index or f"{self.name}-000001"
            shards = {"number_of_shards": address.shards, "number_of_replicas": address.replicas}
            self._create(name, shards, mapping, {name + WRITERS: {}} | ({} if index else {self.name: {}}))
        if not self.connection.ask(self.client.indices.exists, index=self.previews):
            kept = {"dynamic": False, "properties": {"asset": {"type": "keyword"}}}
            shards = {"number_of_shards": address.shards, "number_of_replicas": address.replicas}
            self._create(f"{self.previews}-000001", shards, kept, {self.previews: {}})

    def check(self) -> None:
        """Raises StoreUnusable where the index is not ours, or of a newer version."""
        meta = self.meta()
        if "crossmedia" not in meta:
            raise StoreUnusable(
                f"the index {self.name} was not made by Crossmedia", "name another: elasticsearch://HOST:9200/NAME"
            )
        if meta["crossmedia"] > FORMAT:
            raise StoreUnusable(f"the index {self.name} was made by a newer version", "upgrade crossmedia")
        if meta["crossmedia"] < FORMAT:
            raise StoreUnusable(
                f"the index {self.name} was made by an older version",
                "export it with that version and import it with this one, or index the files again under another name",
            )

    def complete(self) -> None:
        """Make fields that came after this index was made."""
        fields = _packaged("mapping.json")["properties"]
        [mapping] = self.connection.ask(self.client.indices.get_mapping, index=self.name).values()
        if missing := {name: kind for name, kind in fields.items() if name not in mapping["mappings"]["properties"]}:
            self.connection.ask(self.client.indices.put_mapping, index=self.target, properties=missing)

    def meta(self) -> Mapping[str, Any]:
        [mapping] = self.connection.ask(self.client.indices.get_mapping, index=self.name).values()
        self._fields |= set(mapping["mappings"].get("properties", {}).get("vector", {}).get("properties", {}))
        found: Mapping[str, Any] = mapping["mappings"].get("_meta", {})
        return found

    def analyser(self, index: str = "") -> tuple[str, bool]:
        """The analyser of this index, by default of the one that is written, and whether its words are terms of ours.
        It never changes."""
        name = index or self.target.removesuffix(WRITERS)
        if name not in self._analysers:
            [mapping] = self.connection.ask(self.client.indices.get_mapping, index=name).values()
            meta = mapping["mappings"].get("_meta", {})
            analyser = str(meta.get("analyzer", self.connection.address.analyzer))
            self._analysers[name] = analyser, analyser == OWN and meta.get("terms") == TERMS
        return self._analysers[name]

    def searched(self, field: str) -> bool:
        """Whether there is a field of vectors of this name; another process may have made it meanwhile."""
        if field not in self._fields:
            self.meta()
        return field in self._fields

    def provide(self, fields: Mapping[str, int]) -> None:
        """Make the fields of vectors, with their dimensions, that are not there yet."""
        missing = {name: dim for name, dim in fields.items() if name not in self._fields}
        if not missing:
            return
        kind = {"type": self.meta().get("vectors", self.connection.address.vectors)}
        properties = {
            name: {"type": "dense_vector", "dims": dim, "similarity": "max_inner_product", "index_options": kind}
            for name, dim in missing.items()
        }
        self.connection.ask(
            self.client.indices.put_mapping, index=self.target, properties={"vector": {"properties": properties}}
        )
        self._fields |= set(missing)

    def wrote(self) -> None:
        """What was written is not searched before `refresh`, or before the server does so by itself (each second)."""
        self._written = True

    def refresh(self) -> None:
        """Let searches see what this process wrote. By id it is seen at once."""
        with self._refreshing:  # who comes second waits for what the first one asks for
            if self._written:
                self._written = False
                self.connection.ask(self.client.indices.refresh, index=self.name)

    def get(self, ids: Sequence[str], without: Sequence[str] = (), only: Sequence[str] = ()) -> dict[str, Doc]:
        return {key: doc for key, (doc, _) in self.versioned(ids, without, only, self.name).items()}

    def versioned(
        self, ids: Sequence[str], without: Sequence[str] = (), only: Sequence[str] = (), index: str | None = None
    ) -> dict[str, tuple[Doc, Version]]:
        """Documents by id, as they are now where it is written, in the order of the ids; those that are not there are
        left out."""
        options: dict[str, Any] = {"source_includes": list(only)} if only else {}
        if without:
            options["source_excludes"] = list(without)
        found: dict[str, tuple[Doc, Version]] = {}
        for first in range(0, len(ids), MGET):
            some = list(ids[first : first + MGET])
            found |= self.connection.ask(self._get, where=index or self.target, ids=some, options=options)
        return found

    def _get(self, where: str, ids: Sequence[str], options: Mapping[str, Any]) -> dict[str, tuple[Doc, Version]]:
        found = self._found(where, ids, options)
        return {doc["_id"]: (doc["_source"], (doc["_seq_no"], doc["_primary_term"])) for doc in found}

    def _found(self, where: str, ids: Sequence[str], options: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """Those that are there. What cannot be read now is no absence: raises StoreBusy, or StoreBlocked."""
        found: list[Mapping[str, Any]] = []
        for doc in self.client.mget(index=where, ids=ids, **options)["docs"]:
            if doc.get("found"):
                found.append(doc)
            elif doc.get("error", {}).get("type") == "index_not_found_exception":
                raise StoreBlocked(f"{where} is not there any more", "run the command again")
            elif "error" in doc:
                raise StoreBusy(
                    f"{doc['_id']} cannot be read: {doc['error'].get('reason')}", "look at the cluster's health"
                )
        return found

    def facts(self, ids: Sequence[str]) -> tuple[dict[str, Doc], str]:
        """Documents by id, and the index that lies behind the alias; '' where none of them is there."""
        found = self.connection.ask(self._found, where=self.name, ids=list(ids), options={})
        return {doc["_id"]: doc["_source"] for doc in found}, next((doc["_index"] for doc in found), "")

    def search(self, **values: Any) -> Any:
        """One search, of all shards or none: a part that does not answer would be a silent gap."""
        where = {} if "pit" in values else {"index": self.name}
        return self.connection.ask(self.client.search, allow_partial_search_results=False, **where, **values)

    def shown(self, ids: Sequence[str]) -> dict[str, bytes]:
        """Thumbnails and attachments."""
        found = self.versioned(ids, index=self.previews)
        return {key: base64.b64decode(doc["data"]) for key, (doc, _) in found.items()}

    def pages(
        self, query: Mapping[str, Any], sort: Sequence[Any], source: Any = False
    ) -> Iterator[list[dict[str, Any]]]:
        """Hits page by page from one snapshot. `sort` must tell all documents apart, or nearly: ties are broken by the
        server."""
        self.refresh()
        ask = self.connection.ask
        pit = ask(self.client.open_point_in_time, index=self.name, keep_alive=KEEP)["id"]
        try:
            after = None
            while True:
                answer = self.search(
                    pit={"id": pit, "keep_alive": KEEP},
                    size=PAGE,
                    query=query,
                    sort=list(sort),
                    source=source,
                    search_after=after,
                    track_total_hits=False,
                )
                pit, hits = answer["pit_id"], answer["hits"]["hits"]
                if hits:
                    yield hits
                if len(hits) < PAGE:
                    return
                after = hits[-1]["sort"]
        finally:
            ask(self.client.close_point_in_time, id=pit)

    def every(self, query: Mapping[str, Any], sort: Sequence[Any], source: Any = False) -> Iterator[dict[str, Any]]:
        for page in self.pages(query, sort, source):
            yield from page

    def totals(self, query: Mapping[str, Any], aggregations: Mapping[str, Any]) -> dict[str, Any]:
        self.refresh()
        answer = self.search(size=0, query=query, aggregations=aggregations, track_total_hits=True)
        return {"total": answer["hits"]["total"]["value"], **answer.get("aggregations", {})}

    def _create(
        self, index: str, settings: Mapping[str, Any], mapping: Mapping[str, Any], aliases: Mapping[str, Any]
    ) -> None:
        def create() -> None:
            try:
                self.client.indices.create(
                    index=index, settings=settings, mappings=mapping, aliases=aliases, wait_for_active_shards=1
                )
            except BadRequestError as error:
                if "resource_already_exists" not in str(error.body):  # another process was quicker
                    raise explain(error, self.connection.address) from error

        self.connection.ask(create)


def _packaged(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        resources.files("crossmedia.retrieval.elastic").joinpath(name).read_text(encoding="utf-8")
    )
    return found


def among(**terms: Iterable[str] | str) -> dict[str, Any]:
    """A condition: each field has this value, or one of these."""
    clauses = [
        {"term": {name: value}} if isinstance(value, str) else {"terms": {name: list(value)}}
        for name, value in terms.items()
    ]
    return {"bool": {"filter": clauses}}
