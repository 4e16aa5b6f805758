"""The requests and answers that others build on, the same over HTTP, on the command line and in Python."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from embeddings.media import Medium
from retrieval.documents import Asset, Kind, Label, Moment, Source
from retrieval.query import Answer, Example, Filters, LabelFilter, Query

MAX_K = 1000


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class LabelCondition(_Strict):
    kind: str
    value: str | None = None
    min_score: float = Field(0.0, ge=0, le=1)


class FilterSpec(_Strict):
    """All conditions must hold. `path`: a prefix, or a glob with * and ?; dates are ISO 8601; times in seconds."""

    kinds: list[Kind] = []
    collection: str | None = None
    path: str | None = None
    after: str | None = Field(None, examples=["2024-01-01"])
    before: str | None = None
    labels: list[LabelCondition] = []
    assets: list[str] = []
    start: float | None = None
    end: float | None = None


class ExampleSpec(_Strict):
    """An indexed asset to search by; a negative weight pushes away."""

    asset: str
    weight: float = 1.0


class SearchRequest(_Strict):
    """What to look for. At least a text, an example, or an example file beside this object (multipart)."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"text": "a dog on the beach", "media": ["image", "video"], "k": 5},
                {"text": ["a beach"], "negative": ["people"], "filters": {"after": "2024-01-01"}, "min_relevance": 0},
            ]
        },
    )

    text: str | list[str] = Field(default_factory=list, description="One or several wanted texts.")
    negative: list[str] = Field(default_factory=list, description="What must not be in it.")
    examples: list[ExampleSpec] = []
    media: list[Medium] = []
    k: int = Field(10, ge=1, le=MAX_K)
    filters: FilterSpec = FilterSpec()
    legs: list[str] | None = Field(None, description="Restrict the search to these legs; null means all.")
    min_relevance: float | None = Field(None, ge=0, le=1, description="null: the default cut-off; 0: no cut-off.")
    fold: bool = Field(True, description="Show near-identical moments once.")
    group: bool = Field(False, description="Show the best moment of each asset only.")

    def query(self, files: list[Example] | None = None) -> Query:
        spec = self.filters
        texts = [self.text] if isinstance(self.text, str) else self.text
        return Query(
            texts=tuple(texts),
            negatives=tuple(self.negative),
            examples=(*(Example(asset=e.asset, weight=e.weight) for e in self.examples), *(files or ())),
            filters=Filters(
                media=tuple(self.media),
                kinds=tuple(spec.kinds),
                collection=spec.collection,
                path=spec.path,
                after=spec.after,
                before=spec.before,
                labels=tuple(LabelFilter(x.kind, x.value, x.min_score) for x in spec.labels),
                assets=tuple(spec.assets),
                start=spec.start,
                end=spec.end,
            ),
            k=self.k,
            legs=None if self.legs is None else tuple(self.legs),
            min_relevance=self.min_relevance,
            fold=self.fold,
            group=self.group,
        )


class EvidenceOut(BaseModel):
    leg: str
    similarity: float
    relevance: float
    rank: int
    text: str | None = None
    query: str | None = None
    start: float | None = None
    end: float | None = None
    page: int | None = None


class HitOut(BaseModel):
    asset: str
    moment: str
    path: str
    media: Medium
    title: str
    start: float | None
    end: float | None
    page: int | None
    relevance: float
    evidence: list[EvidenceOut]
    more: int = 0


class SearchAnswer(BaseModel):
    """The hits, best first. No hit above the cut-off is an answer too."""

    hits: list[HitOut]
    took_ms: float
    notes: list[str] = []


class ErrorBody(BaseModel):
    code: str
    message: str
    hint: str


class ErrorEnvelope(BaseModel):
    """Every failure, whatever its status."""

    error: ErrorBody


def answer_json(answer: Answer) -> dict[str, Any]:
    """The JSON object of an answer."""
    return asdict(answer)


def asset_json(asset: Asset, sources: list[Source], moments: list[Moment]) -> dict[str, Any]:
    """An asset with where it lies and what is known of it."""
    return {
        "asset": asset.id,
        "media": asset.media,
        "mime": asset.mime,
        "size": asset.size,
        "title": asset.title,
        "captured": asset.captured,
        "metadata": dict(asset.metadata),
        "sources": [{"path": s.path, "collection": s.collection} for s in sources],
        "moments": [_moment_json(moment) for moment in moments],
    }


def _moment_json(moment: Moment) -> dict[str, Any]:
    return {
        "moment": moment.id,
        "kind": moment.kind,
        "start": moment.start,
        "end": moment.end,
        "page": moment.page,
        **moment.fields,
        "labels": [_label_json(label) for label in moment.labels],
        "words": [[word.text, word.start, word.end] for word in moment.words],
    }


def _label_json(label: Label) -> dict[str, Any]:
    return {key: value for key, value in asdict(label).items() if value is not None}
