"""The requests and answers that others build on, the same over HTTP, on the command line and in Python."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from crossmedia.api.invalid import InvalidRequest
from crossmedia.embeddings.media import Medium
from crossmedia.retrieval.cursor import MAX_LENGTH
from crossmedia.retrieval.documents import Asset, Box, Kind, Label, Moment, Source
from crossmedia.retrieval.likeness import Likeness
from crossmedia.retrieval.order import Sort, order_of
from crossmedia.retrieval.query import Answer, Example, FacetCount, Filters, Hit, LabelFilter, Query

MAX_K = 10_000


MAX_VALUES = 100
"""Values of a kind of label that are told."""
MAX_SEVERAL = 100
"""Texts, examples, conditions in one search."""

Text = Annotated[str, Field(max_length=10_000)]
Name = Annotated[str, Field(max_length=1_000)]
Weight = Annotated[float, Field(ge=-100, le=100)]
Date = Annotated[
    str,
    Field(
        pattern=r"^\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01])(T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?)?)?)?$",
        description="ISO 8601: a year, month, day, or time of one.",
        examples=["2024-01-01"],
    ),
]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class LabelCondition(_Strict):
    kind: Name
    value: Name | None = None
    min_score: float = Field(0.0, ge=0, le=1)
    min_count: int = Field(1, ge=1, le=999, description="So many of them on one moment.")
    negate: bool = Field(False, description="Only moments that do not have them.")


class FilterSpec(_Strict):
    """All conditions must hold. `path`: a prefix, or a glob with * and ?; dates are ISO 8601; times in seconds."""

    kinds: list[Kind] = Field([], max_length=MAX_SEVERAL)
    collection: Name | None = None
    path: Name | None = None
    after: Date | None = None
    before: Date | None = None
    labels: list[LabelCondition] = Field([], max_length=MAX_SEVERAL)
    assets: list[Name] = Field([], max_length=1_000)
    start: float | None = None
    end: float | None = None

    def filters(self, media: Iterable[Medium] = ()) -> Filters:
        """As the store takes them, with the media that are wanted."""
        return Filters(
            media=tuple(media),
            kinds=tuple(self.kinds),
            collection=self.collection,
            path=self.path,
            after=self.after,
            before=self.before,
            labels=tuple(LabelFilter(**x.model_dump()) for x in self.labels),
            assets=tuple(self.assets),
            start=self.start,
            end=self.end,
        )


class ExampleSpec(_Strict):
    """An indexed asset to search by; a negative weight pushes away."""

    asset: Name
    weight: Weight = 1.0


class FileSpec(_Strict):
    """How one of the files beside the request counts; a negative weight pushes away."""

    weight: Weight = 1.0


class SearchRequest(_Strict):
    """What to look for. Without a text, an example, or an example file beside this object (multipart), everything that
    meets the filters is listed."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"text": "a dog on the beach", "media": ["image", "video"], "k": 5},
                {"text": ["a beach"], "negative": ["people"], "filters": {"after": "2024-01-01"}, "min_relevance": 0},
                {"media": ["image"], "sort": "name", "k": 60},
            ]
        },
    )

    text: Text | Annotated[list[Text], Field(max_length=MAX_SEVERAL)] = Field(
        default_factory=list, description="One or several wanted texts."
    )
    negative: list[Text] = Field([], max_length=MAX_SEVERAL, description="What must not be in the results.")
    examples: list[ExampleSpec] = Field([], max_length=MAX_SEVERAL)
    files: list[FileSpec] = Field(
        [], max_length=MAX_SEVERAL, description="Weights of the files beside this object, in their order; none: all 1."
    )
    media: list[Medium] = Field([], max_length=MAX_SEVERAL)
    k: int = Field(10, ge=1, le=MAX_K)
    filters: FilterSpec = FilterSpec()
    legs: list[Name] | None = Field(
        None, min_length=1, max_length=MAX_SEVERAL, description="Restrict the search to these legs; null means all."
    )
    min_relevance: float | None = Field(None, ge=0, le=1, description="null: the default cut-off; 0: no cut-off.")
    fold: bool = Field(True, description="Show near-identical moments once.")
    group: bool = Field(False, description="Show the best moment of each asset only.")
    facets: list[Name] = Field(
        [],
        max_length=MAX_SEVERAL,
        description="Kinds of labels to count on all that was found, not only on what is returned.",
    )
    sort: Sort | None = Field(
        None,
        description="In which order: `date` is the newest first, `length` and `size` the largest, `name` A to Z; "
        "`-asc` and `-desc` say otherwise. What has no date or length comes last. null: the most relevant first, and "
        "without texts and examples the newest.",
    )
    cursor: Annotated[str, Field(max_length=MAX_LENGTH)] | None = Field(
        None, description="`next` of an earlier answer to the same search, which this page goes on after."
    )

    @classmethod
    def of(cls, values: object) -> SearchRequest:
        """From a JSON text (str, bytes) or from plain values; raises InvalidRequest."""
        try:
            return cls.model_validate_json(values) if isinstance(values, str | bytes) else cls.model_validate(values)
        except ValidationError as error:
            raise InvalidRequest.of(error) from error

    def weights(self, files: int) -> list[float]:
        """Of so many files; raises InvalidRequest if weights were given for another number of them."""
        if self.files and len(self.files) != files:
            raise InvalidRequest(f"files: {len(self.files)} weights for {files} files", "send one for each, or none")
        return [spec.weight for spec in self.files] or [1.0] * files

    def query(self, files: list[Example] | None = None) -> Query:
        texts = [self.text] if isinstance(self.text, str) else self.text
        return Query(
            texts=tuple(texts),
            negatives=tuple(self.negative),
            examples=(*(Example(asset=e.asset, weight=e.weight) for e in self.examples), *(files or ())),
            filters=self.filters.filters(self.media),
            k=self.k,
            legs=None if self.legs is None else tuple(self.legs),
            min_relevance=self.min_relevance,
            fold=self.fold,
            group=self.group,
            facets=tuple(self.facets),
            sort=None if self.sort is None else order_of(self.sort),
            cursor=self.cursor,
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
    moment: str = ""
    boxes: list[Box] = Field([], description="x0, y0, x1, y1 in fractions of the picture.")
    generated: bool = Field(False, description="The text was made from labels; it stands or is said nowhere.")
    likeness: Likeness | None = Field(None, description="How like an example of its own medium it is.")


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
    likeness: Likeness | None = Field(None, description="How like the example it is, by the leg that says most.")
    link: str = Field(description="Where it plays or shows: the asset's content at this time or page.")


class ValueOut(BaseModel):
    """A label's value, and on how many moments of how many assets it stands."""

    value: str
    moments: int
    assets: int


class SearchAnswer(BaseModel):
    """The hits, best first unless they were to be sorted. No hit above the cut-off is an answer too."""

    hits: list[HitOut]
    took_ms: float
    notes: list[str] = []
    facets: dict[str, list[ValueOut]] = {}
    next: str | None = Field(None, description="The `cursor` of the page after this one; null where this is the last.")


class SourceOut(BaseModel):
    """Where an asset lies, as it was named, and in which collection."""

    path: str
    collection: str


class AssetOut(BaseModel):
    """What is known of an asset. `moments`: each with `moment` (its id), `kind`, `start`, `end`, `page`, its text
    fields, `labels` and timed `words`."""

    asset: str
    media: Medium
    mime: str
    size: int
    title: str
    captured: str | None
    metadata: dict[str, Any]
    sources: list[SourceOut]
    moments: list[dict[str, Any]]


class Renamed(BaseModel):
    """What somebody is called now, and on how many labels."""

    name: str
    labels: int


class ErrorBody(BaseModel):
    """`remedy`: what of ours mends it, in a word, where something does."""

    code: str
    message: str
    hint: str
    remedy: str | None = None


class ErrorEnvelope(BaseModel):
    """Every failure, whatever its status."""

    error: ErrorBody


def whole_schema(model: type[BaseModel]) -> dict[str, Any]:
    """A model's JSON schema without references: where a route reads its body itself, nothing else describes its
    parts."""
    schema = model.model_json_schema()
    definitions = schema.pop("$defs", {})

    def put_in(node: Any) -> Any:
        if isinstance(node, list):
            return [put_in(child) for child in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            return put_in(definitions[node["$ref"].rpartition("/")[2]])
        return {key: put_in(child) for key, child in node.items()}

    whole: dict[str, Any] = put_in(schema)
    return whole


def search_answer(answer: Answer) -> SearchAnswer:
    """An answer as it leaves the service."""
    return SearchAnswer(
        hits=[hit_out(hit) for hit in answer.hits],
        took_ms=answer.took_ms,
        notes=list(answer.notes),
        facets=by_kind(answer.facets),
        next=answer.next,
    )


def hit_out(hit: Hit) -> HitOut:
    """A hit with where it plays or shows."""
    return HitOut(**hit_values(hit))


def hit_values(hit: Hit) -> dict[str, Any]:
    """The fields of a `HitOut`."""
    return {**asdict(hit), "link": content_link(hit.asset, hit.start, hit.end, hit.page)}


def by_kind(counts: Iterable[FacetCount], limit: int = MAX_VALUES) -> dict[str, list[ValueOut]]:
    """The values of each kind of label, at most so many of each, in their order."""
    kinds: dict[str, list[ValueOut]] = {}
    for count in counts:
        values = kinds.setdefault(count.kind, [])
        if len(values) < limit:
            values.append(ValueOut(value=count.value, moments=count.moments, assets=count.assets))
    return kinds


def content_link(asset: str, start: float | None, end: float | None, page: int | None = None) -> str:
    """The way to an asset's bytes on the service, at a time (W3C Media Fragments: `#t=start,end` in s) or page."""
    if page is not None:
        return f"/v1/assets/{asset}/content#page={page}"
    times = [f"{seconds:.2f}".rstrip("0").rstrip(".") for seconds in (start, end) if seconds is not None]
    return f"/v1/assets/{asset}/content" + (f"#t={','.join(times)}" if times else "")


def asset_out(asset: Asset, sources: Sequence[Source], moments: Sequence[Moment]) -> AssetOut:
    """An asset with where it lies and what is known of it."""
    return AssetOut(
        asset=asset.id,
        media=asset.media,
        mime=asset.mime,
        size=asset.size,
        title=asset.title,
        captured=asset.captured,
        metadata=dict(asset.metadata),
        sources=[SourceOut(path=s.path, collection=s.collection) for s in sources],
        moments=[_moment_json(moment) for moment in moments],
    )


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
