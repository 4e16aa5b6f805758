"""What an asset is about: sentences of it, a description of what it shows, its chapters."""

from __future__ import annotations

from dataclasses import asdict

from pydantic import BaseModel

from crossmedia.api.runtime import Runtime
from crossmedia.api.use_cases.moderation import Moderation
from crossmedia.retrieval.answering.chapters import chapters
from crossmedia.retrieval.answering.summary import summarise

SENTENCES = 3


class SentenceOut(BaseModel):
    """A sentence that is said or written in it; `centrality` in [0, 1]: how much else is near to it."""

    text: str
    moment: str
    start: float | None
    end: float | None
    page: int | None
    centrality: float


class DescriptionOut(BaseModel):
    """A sentence that was made from labels."""

    text: str
    moment: str
    start: float | None
    end: float | None
    generated: bool = True


class ChapterOut(BaseModel):
    """`moment` has the key frame; `generated`: the title was made from labels, else it is said."""

    number: int
    start: float
    end: float
    title: str
    moment: str
    generated: bool


class SummaryOut(BaseModel):
    """What an asset is about."""

    asset: str
    sentences: list[SentenceOut]
    descriptions: list[DescriptionOut]
    chapters: list[ChapterOut]


class Summarizing:
    """Sums assets up by what was recognised in them."""

    def __init__(self, runtime: Runtime, moderation: Moderation) -> None:
        self._runtime = runtime
        self._moderation = moderation

    def summarize(self, asset: str, sentences: int = SENTENCES) -> SummaryOut:
        """Of the asset whose id starts so, in at most so many sentences. Raises NotFound, Ambiguous, Blocked."""
        served = self._moderation.resolve_served(asset)
        moments, profile = self._runtime.store.moments(served), self._runtime.profile
        return SummaryOut(
            asset=served,
            sentences=[
                SentenceOut(
                    text=one.text,
                    moment=one.moment.id,
                    start=one.moment.start,
                    end=one.moment.end,
                    page=one.moment.page,
                    centrality=one.centrality,
                )
                for one in summarise(moments, profile, sentences)
            ],
            descriptions=[
                DescriptionOut(text=m.fields["description"], moment=m.id, start=m.start, end=m.end)
                for m in moments
                if "description" in m.fields
            ],
            chapters=[ChapterOut(**asdict(chapter)) for chapter in chapters(moments, profile)],
        )
