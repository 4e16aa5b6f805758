"""What is said of everything in the collection: labels by kind and value, with counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from pydantic import BaseModel

from crossmedia.api.runtime import Runtime
from crossmedia.api.schema import ValueOut, by_kind
from crossmedia.embeddings.label_kinds import LabelKind, kind_named, known_kinds


class KindOut(BaseModel):
    """A kind of label: how many values it has, and those on most moments."""

    kind: str
    values: int
    top: list[ValueOut]


class LabelKindOut(BaseModel):
    """What is known of a kind of label: `title` stands above its values; `said`: a query finds values that it says;
    `facet`: worth offering beside what a search finds; `recognised`: worth listing with an asset; `values`: the closed
    set of them, null where anything can be one."""

    kind: str
    title: str
    said: bool
    facet: bool
    recognised: bool
    values: list[str] | None


def known_label_kinds(kinds: Mapping[str, LabelKind] | None = None) -> list[LabelKindOut]:
    """These kinds of labels, or those that any collection can have, in the order in which people see them."""
    return [
        LabelKindOut(
            kind=kind.name,
            title=kind.title,
            said=kind.said,
            facet=kind.facet,
            recognised=kind.recognised,
            values=None if kind.values is None else sorted(kind.values),
        )
        for kind in (known_kinds() if kinds is None else kinds).values()
    ]


class Labels:
    """Labels of the whole collection."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def list_kinds(self, kinds: Sequence[str] = (), limit: int = 20) -> list[KindOut]:
        """Every kind of label, or these, each with at most `limit` values, those on most moments first."""
        counts = self._runtime.store.count_facets(kinds)
        values = Counter(count.kind for count in counts)
        return [
            KindOut(kind=kind, values=values[kind], top=[] if kind_named(kind).unique and not kinds else top)
            for kind, top in by_kind(counts, limit).items()
        ]
