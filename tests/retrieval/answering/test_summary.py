"""Summaries, chapters, sentences: central, new, in order."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from crossmedia.embeddings.encoder import normalise
from crossmedia.embeddings.toy import toy_profile
from crossmedia.retrieval.answering.chapters import chapters
from crossmedia.retrieval.answering.passages import split
from crossmedia.retrieval.answering.summary import centrality, choose_sentences, summarise
from crossmedia.retrieval.documents import Label
from tests.retrieval.makers import asset_id, moment


def test_what_is_near_to_everything_is_central_and_not_told_twice() -> None:
    rng = np.random.default_rng(0)
    middle = rng.standard_normal(16)
    rows = normalise(
        np.stack(
            [middle + 0.1 * rng.standard_normal(16) for _ in range(4)] + [rng.standard_normal(16) for _ in range(3)]
        )
    )
    central = centrality(rows)
    assert set(np.argsort(-central)[:4]) == {0, 1, 2, 3}
    picked = choose_sentences(rows, central, 2)
    assert picked[0] in range(4)
    assert len({0, 1, 2, 3} & set(picked)) == 1  # the second says something new


@given(st.integers(1, 12), st.integers(1, 5))
def test_any_number_of_sentences_is_summed_up(count: int, most: int) -> None:
    rows = normalise(np.random.default_rng(count).standard_normal((count, 8)))
    central = centrality(rows)
    assert ((central >= 0) & (central <= 1 + 1e-5)).all()
    picked = choose_sentences(rows, central, most)
    assert len(picked) == len(set(picked)) == min(most, count)


def test_a_summary_keeps_the_order_and_the_words() -> None:
    texts = ["The storm came at night.", "It was over.", "The lighthouse lost its power.", "The old pier is gone now."]
    moments = [
        moment(asset_id("a"), "speech", n, start=float(n), end=n + 1.0, fields={"transcript": text})
        for n, text in enumerate(texts)
    ]
    told = summarise(moments, toy_profile(), 2)
    assert [one.moment.start for one in told] == sorted(one.moment.start or 0.0 for one in told)
    assert {one.text for one in told} <= set(texts)
    assert summarise([], toy_profile()) == []


def test_chapters_have_titles_times_and_key_frames() -> None:
    def shot(number: int, scene: str, *labels: Label) -> object:
        return moment(
            asset_id("a"),
            "shot",
            number,
            start=4.0 * number,
            end=4.0 * number + 4,
            labels=(Label("chapter", scene, 1.0, "m"), *labels),
        )

    said = moment(
        asset_id("a"), "speech", 0, start=1.0, end=3.0, fields={"transcript": "We begin with the harbour of the town."}
    )
    told = chapters(
        [shot(0, "1"), shot(1, "1"), shot(2, "2", Label("object", "dog", 0.9, "m", (0, 0, 1, 1))), said], toy_profile()
    )  # type: ignore[list-item]
    assert [(one.start, one.end) for one in told] == [(0.0, 8.0), (8.0, 12.0)]
    assert told[0].title.startswith("We begin")
    assert not told[0].generated
    assert (told[1].title, told[1].generated) == ("A dog", True)
    assert told[1].moment == f"{asset_id('a')}-shot2"


def test_sentences_are_split_where_a_reader_would() -> None:
    assert split("It cost 3.5 euros. Really! Yes?") == ["It cost 3.5 euros.", "Really!", "Yes?"]
    assert split("") == []
    assert split("停电了。“快跑！”他说。真的吗？是") == ["停电了。", "“快跑！”", "他说。", "真的吗？", "是"]
