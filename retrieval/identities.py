"""Who it is: a vector is given the name that its nearest neighbours bear, and names are given, changed and joined."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Final

from crossmedia.embeddings import label_kinds
from crossmedia.embeddings.encoder import FACE, VOICE, Modality, Vector
from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.retrieval.documents import Kind, Moment
from crossmedia.retrieval.labels import Labelled
from crossmedia.retrieval.query import Filters
from crossmedia.retrieval.store import NotFound, Store

SPEAKER: Final = label_kinds.SPEAKER.name
"""The kind of label that says whose voice a moment is."""
PERSON: Final = label_kinds.PERSON.name
"""The kind of label that says whose face it is, on the face and on the picture that shows it."""
NEIGHBOURS: Final = 15
MAX_NAME_CHARACTERS: Final = 100


class NameTaken(CrossmediaError):
    """Somebody else has this name already."""

    code = "name_taken"
    status = 409


class BadName(CrossmediaError):
    """What is given is no name."""

    code = "bad_name"
    status = 422


def known_voice(store: Store, least: float) -> Callable[[Vector], str | None]:
    """What tells whose voice a vector is: the name of the nearest turns in the collection of cosine `least` or more,
    each with the weight of its cosine; None where none is so near.

    Nothing is kept beside the turns themselves: names follow when they are changed, and go with the last recording.
    """
    return lambda vector: _named(store, VOICE, "voice", vector, SPEAKER, least)


def known_face(store: Store, least: float) -> Callable[[Vector], str | None]:
    """What tells whose face a vector is, as `known_voice` does."""
    return lambda vector: _named(store, FACE, "face", vector, PERSON, least)


def _named(store: Store, space: str, modality: Modality, vector: Vector, kind: str, least: float) -> str | None:
    near = [n for n in store.search_vectors(space, modality, vector, NEIGHBOURS, Filters()) if n.similarity >= least]
    moments = store.load([n.moment for n in near])
    votes: defaultdict[str, float] = defaultdict(float)
    for neighbour in near:
        for label in moments[neighbour.moment].labels if neighbour.moment in moments else ():
            if label.kind == kind:
                votes[label.value] += neighbour.similarity
    return max(votes, key=lambda name: votes[name], default=None)


def everybody(store: Store, kind: str, on: Kind) -> Iterator[tuple[Labelled, Moment, str]]:
    """Who is known by labels of this kind on such moments, with the moment that tells most of each and the path of its
    file."""
    found = store.labelled(kind, on)
    best = store.load([one.best for one in found])
    placed = store.placed(list({moment.asset for moment in best.values()}))
    for one in found:
        moment = best.get(one.best)
        if moment is not None and moment.asset in placed:  # or deleted meanwhile
            yield one, moment, next((source.path for source in placed[moment.asset][1]), "")


def rename(store: Store, kind: str, on: Kind, name: str, to: str) -> int:
    """Give somebody another name; returns the labels changed. Raises NotFound, NameTaken, BadName."""
    to = checked(to)
    names = {found.value.casefold() for found in store.labelled(kind, on)}
    _require(names, kind, name)
    if to.casefold() in names and to.casefold() != name.casefold():
        raise NameTaken(f"the name {to} is already in use", "merge the two if they are the same person")
    return store.relabel(kind, name, to)


def merge(store: Store, kind: str, on: Kind, names: list[str], into: str) -> int:
    """Several are one: all are called `into` afterwards, which is one of them or new. Raises NotFound, BadName."""
    into = checked(into)
    known = {found.value.casefold() for found in store.labelled(kind, on)}
    for name in names:
        _require(known, kind, name)
    return sum(store.relabel(kind, name, into) for name in names if name.casefold() != into.casefold())


def _require(names: set[str], kind: str, name: str) -> None:
    if name.casefold() not in names:
        raise missing(kind, name)


def missing(kind: str, name: str) -> NotFound:
    """What is raised where nobody has that name."""
    return NotFound(f"no {kind} called {name}", f"crossmedia {'people' if kind == PERSON else 'voices'} list shows all")


def checked(name: str) -> str:
    """A name without needless spaces; raises BadName."""
    plain = " ".join(name.split())
    if not plain or len(plain) > MAX_NAME_CHARACTERS:
        raise BadName("a name has between 1 and 100 characters", "give another")
    return plain
