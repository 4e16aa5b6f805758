"""Questions taken apart: kind, topic, medium, stretch of time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossmedia.embeddings.catalog import BUNDLED
from crossmedia.embeddings.question_kinds import QuestionKinds
from crossmedia.embeddings.text import MiniLM
from crossmedia.retrieval.answering.kinds import QUESTION_KINDS
from crossmedia.retrieval.answering.question import parse_question, span_of, topic_of, understand


@pytest.fixture(scope="module")
def tower() -> MiniLM:
    return MiniLM(BUNDLED)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Are there any dogs?", "yes/no"),
        ("how many people can you see", "how many"),
        ("What color is her coat?", "what colour"),
        ("what's the man up to?", "what is"),
        ("Who is talking here?", "who"),
        ("at what second do they mention rain?", "when"),
        ("where was that filmed?", "where"),
        ("read me the sign on the door", "what does it say"),
        ("what did she say about the garden?", "what was said"),
        ("how long does the clip last?", "how long"),
        ("which picture shows a bridge?", "which"),
        ("give me the gist of the document", "summarise"),
    ],
)
def test_sentences_that_nothing_was_learned_from_are_told_apart(tower: MiniLM, text: str, kind: str) -> None:
    told = QuestionKinds().classify(tower.encode([text]).vectors["text"][0])
    assert {name for name, _ in told} == set(QUESTION_KINDS)
    assert sum(share for _, share in told) == pytest.approx(1, abs=1e-4)
    assert understand(text, told).kind == kind


@pytest.mark.parametrize(
    ("text", "kind", "topic"),
    [
        ("how many brown dogs are in the picture?", "how many", "brown dogs"),
        ("what colour is the man's jacket?", "what colour", "the man's jacket"),
        ("what was said about the lighthouse?", "what was said", "the lighthouse"),
        ("which photo shows a man on a horse?", "which", "a man on a horse"),
        ("is there a cat on the table?", "yes/no", "a cat on the table"),
    ],
)
def test_what_a_question_is_about(text: str, kind: str, topic: str) -> None:
    assert parse_question(text, kind, 1.0).topic == topic  # type: ignore[arg-type]


def test_media_and_stretches() -> None:
    question = parse_question("who speaks in the second half of the recording?", "who", 1.0)
    assert question.medium == "audio"
    assert question.within(60.0) == (30.0, 60.0)
    assert question.within(None) is None
    assert parse_question("what is said between 0:30 and 1:10", "what was said", 1.0).within(100.0) == (30.0, 70.0)
    assert span_of("what is said in the first 2 minutes") == (0.0, 120.0)
    assert span_of("what is said") is None


@given(st.text(max_size=200), st.sampled_from(QUESTION_KINDS))
def test_any_text_is_taken_apart(text: str, kind: str) -> None:
    question = parse_question(text, kind, 0.5)  # type: ignore[arg-type]
    assert question.topic == question.topic.strip()
    assert topic_of(text.lower(), kind) is not None  # type: ignore[arg-type]
