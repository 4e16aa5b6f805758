"""The built-in answerer over labels, words and files that are known: what it says, what it cites, when it says
nothing."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from crossmedia.embeddings.catalog import BUNDLED
from crossmedia.embeddings.encoder import Encoder, Encoding
from crossmedia.embeddings.extensions import Extension, Extensions
from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.profile import Word
from crossmedia.embeddings.text import MiniLM
from crossmedia.embeddings.toy import toy_profile
from crossmedia.embeddings.train.question_kinds import fill_blanks, read_sentences
from crossmedia.retrieval.answering import foreign
from crossmedia.retrieval.answering.answerer import CANNOT_TELL, Reply
from crossmedia.retrieval.answering.builtin import BuiltIn
from crossmedia.retrieval.answering.colours import colour_shares
from crossmedia.retrieval.answering.counting import count_chances, say_count
from crossmedia.retrieval.answering.finding import EXTREMES
from crossmedia.retrieval.answering.foreign import AnswererSpec
from crossmedia.retrieval.answering.scope import Scope
from crossmedia.retrieval.documents import Document, Label, Moment
from crossmedia.retrieval.engine import Engine
from crossmedia.retrieval.local import LocalStore
from crossmedia.retrieval.query import Filters
from tests.retrieval.makers import asset_id, document, moment

PROFILE = toy_profile()
BOX = (0.25, 0.25, 0.75, 0.75)
Ask = Callable[..., Reply]


def jpeg(rgb: tuple[int, int, int]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.full((64, 64, 3), rgb, np.uint8)).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


def label(kind: str, value: str, score: float = 0.9, **where: object) -> Label:
    return Label(kind, value, score, "m@1", **where)  # type: ignore[arg-type]


def sentence(name: str, number: int, text: str, start: float) -> Moment:
    words = tuple(Word(word, start + n / 4, start + n / 4 + 0.2) for n, word in enumerate(text.split()))
    return moment(
        asset_id(name),
        "speech",
        number,
        start=start,
        end=start + len(words) / 4,
        fields={"transcript": text},
        words=words,
        vectors={"text": PROFILE.text.encode([text]).vectors["text"][0]},
    )


class Remembering:
    """A text tower that encodes each text once."""

    def __init__(self, tower: MiniLM) -> None:
        self._tower = tower
        self._known: dict[str, Encoding] = {}

    def __getattr__(self, name: str) -> object:
        return getattr(self._tower, name)

    def encode(self, items: Sequence[str]) -> Encoding:
        [text] = items
        if text not in self._known:
            self._known[text] = self._tower.encode(items)
        return self._known[text]


@pytest.fixture(scope="module")
def kinds() -> Encoder[str]:
    return Remembering(MiniLM(BUNDLED))  # type: ignore[return-value]


@pytest.fixture
def ask(tmp_path: Path, kinds: Encoder[str]) -> Iterator[Ask]:
    store = LocalStore(tmp_path)
    store.bind(PROFILE.spaces.values())
    dogs = moment(
        asset_id("dogs"),
        labels=(
            label("object", "dog", box=BOX),
            label("object", "dog", 0.85, box=(0.0, 0.0, 0.2, 0.2)),
            label("text", "EXIT", box=BOX),
            label("area", "sand", 0.5),
            label("object", "bird", box=(0.4, 0.0, 0.6, 0.2)),
        ),
        thumbnail=jpeg((200, 30, 40)),
    )
    talk = (
        moment(asset_id("talk"), "turn", 0, start=0.0, end=5.0, labels=(label("speaker", "Ada"),)),
        moment(asset_id("talk"), "turn", 1, start=5.0, end=12.0, labels=(label("speaker", "Ben"),)),
        sentence("talk", 0, "The harbour lost its power for two hours.", 1.0),
        sentence("talk", 1, "Nobody spoke about the budget.", 6.0),
        moment(
            asset_id("talk"),
            "sound",
            0,
            start=0.0,
            end=12.0,
            labels=(label("sound", "Noise"), label("sound", "Clock", 0.6)),
        ),
    )
    car = moment(asset_id("car"), labels=(label("plate", "RK755AJ"),), thumbnail=jpeg((10, 10, 10)))
    located = document("car", moments=(car,), captured="2024-05-01T10:00:00")
    spoken = document("talk", media="audio", moments=talk)
    store.put(
        [
            document("dogs", moments=(dogs,)),
            replace(located, asset=replace(located.asset, metadata={"gps": {"lat": 48.2, "lon": -16.37}})),
            replace(spoken, asset=replace(spoken.asset, metadata={"seconds": 12.0})),
        ]
    )
    engine = Engine(store, PROFILE)

    def ask(text: str, name: str | None = None, filters: Filters | None = None) -> Reply:
        asset = store.asset(asset_id(name)) if name else None
        return BuiltIn(PROFILE, kinds).reply(text, Scope(engine, engine.search, filters or Filters(), asset))[1]

    yield ask
    store.close()


def test_things_are_counted_and_their_boxes_cited(ask: Ask) -> None:
    reply = ask("how many dogs are there?", "dogs")
    assert reply.answer == "2 dogs"
    assert reply.citations[0].asset == asset_id("dogs")
    assert len(reply.citations[0].evidence[0].boxes) == 2


def test_colours_are_those_inside_the_box(ask: Ask) -> None:
    reply = ask("what colour is the dog?", "dogs")
    assert (reply.answer, reply.answered) == ("red", True)


def test_a_picture_is_from_where_its_camera_was(ask: Ask) -> None:
    reply = ask("where was this taken?", "car")
    assert reply.answer == "48.20000, -16.37000"
    assert reply.citations[0].asset == asset_id("car")


QUESTIONS = [next(fill_blanks(sentence, number)) for number, (_, sentence) in enumerate(read_sentences())]


@pytest.mark.parametrize("name", ["dogs", "car", "talk", None])
def test_no_question_fails(ask: Ask, name: str | None) -> None:
    for question in QUESTIONS:
        assert ask(question, name).answer


def odd_files() -> Iterator[Document]:
    """Files of every medium, with all that can be on them, next to nothing, and what no decoder writes."""
    common = {"common": PROFILE.text.encode(["dog"]).vectors["common"][0]}
    shots = (
        moment(asset_id("film"), "shot", n, start=4.0 * n, end=4.0 * n + 4, vectors=common, thumbnail=jpeg((9, n, 9)))
        for n in range(2)
    )
    box = (label("object", "dog", box=BOX), label("person", "Ada", box=BOX), label("area", "water", 0.6, box=None))
    frame = moment(asset_id("film"), "frame", 0, start=1.0, end=1.0, labels=box, thumbnail=jpeg((200, 9, 9)))
    said = sentence("film", 0, "The dog was taken to the harbour in 1999.", 1.0)
    pages = (
        moment(asset_id("paper"), "paragraph", n, page=n + 1, fields={"text": f"Dogs bark {n} times. 12 kg of bread."})
        for n in range(3)
    )
    films = {"seconds": 8.0, "gps": {"lat": 1.0, "lon": 2.0}, "width": 4, "height": 4}
    odd: dict[str, object] = {"seconds": "long", "gps": {"lat": "n", "lon": None}, "pages": "x", "camera": 7}
    for made, metadata in (
        (document("film", media="video", moments=(*shots, frame, said), captured="2021"), films),
        (document("paper", media="text", moments=tuple(pages), captured="2020-01-02T03:04:05+00:00"), {"pages": 3}),
        (document("bare.jpg", moments=(moment(asset_id("bare.jpg")),)), {"gps": {"lat": 48.2, "lon": 16.4}}),
        (document("nothing.jpg", moments=()), {"gps": {"lat": 48.2, "lon": 16.4}}),
        (document("odd.wav", media="audio", moments=(moment(asset_id("odd.wav"), "sound"),), captured="soon"), odd),
        (document("odd.mp4", media="video", moments=(), captured=""), {**odd, "seconds": None, "gps": [1, 2]}),
        (document("odd.txt", media="text", moments=(moment(asset_id("odd.txt"), "paragraph"),)), odd),
    ):
        yield replace(made, asset=replace(made.asset, metadata=metadata))


def test_no_question_fails_on_any_kind_of_file(tmp_path: Path, kinds: Encoder[str]) -> None:
    store = LocalStore(tmp_path)
    store.bind(PROFILE.spaces.values())
    files = list(odd_files())
    store.put(files)
    engine = Engine(store, PROFILE)
    builtin = BuiltIn(PROFILE, kinds)
    for file in files:
        scope = Scope(engine, engine.search, Filters(), file.asset)
        for question in QUESTIONS:
            assert builtin.reply(question, scope)[1].answer, (question, file.asset.title)
    for most in EXTREMES:
        assert builtin.reply(f"which is the {most} file?", Scope(engine, engine.search))[1].answer
    store.close()


def test_yes_no_and_neither(ask: Ask) -> None:
    assert ask("is there a dog?", "dogs").answer == "yes"
    assert ask("is there an elephant?", "dogs").answer == "no"
    assert ask("does anyone mention the harbour?", "talk").answer == "yes"
    assert ask("does anyone mention a giraffe?", "talk").answer == "no"


def test_a_thing_is_where_it_lies_and_on_what(ask: Ask) -> None:
    reply = ask("where in the picture is the dog?", "dogs")
    assert reply.answer == "on the sand, in the middle"
    assert reply.citations[0].evidence[0].query == "dog, sand"
    above = ask("where in the picture is the bird?", "dogs")
    assert (above.answer, above.citations[0].evidence[0].query) == ("at the top", "bird")


def test_what_the_question_names_is_not_what_is_heard(ask: Ask) -> None:
    assert ask("what makes the noise?", "talk").answer == "Clock"
    assert ask("what sound is this?", "talk").answer == "Noise, Clock"


def test_what_is_written_and_plates(ask: Ask) -> None:
    assert ask("what does the sign say?", "dogs").answer == "EXIT"
    assert ask("what is the licence plate?", "car").answer == "RK755AJ"


def test_who_speaks_when(ask: Ask) -> None:
    assert ask("who speaks in the second half?", "talk").answer == "Ben"
    assert ask("who speaks first?", "talk").answer == "Ada"
    assert ask("who speaks before 0:04?", "talk").answer == "Ada"


def test_seconds_lengths_and_dates(ask: Ask) -> None:
    reply = ask("when is the power mentioned?", "talk")
    assert reply.answer.startswith("2.0 s")
    assert reply.citations[0].start is not None
    assert ask("how long is the recording?", "talk").answer == "12.0 s (0:12)"
    assert ask("when was this photo taken?", "car").answer == "2024-05-01 10:00:00"


def test_a_collection_is_counted_and_filters_count(ask: Ask) -> None:
    assert ask("how many photos are there?").answer == "2 pictures"
    assert ask("how many photos show a dog?").answer == "1 picture"
    assert ask("how many recordings do we have?").answer == "1 recording"
    assert ask("how many photos are there?", None, Filters(assets=(asset_id("car"),))).answer == "1 picture"
    assert ask("how long is the longest recording?").answer == "12.0 s (0:12)"


def test_too_little_is_told_as_such_with_the_nearest(ask: Ask) -> None:
    reply = ask("what colour is the giraffe?", "dogs")
    assert (reply.answer, reply.answered, reply.confidence) == (CANNOT_TELL, False, 0.0)
    assert not ask("who won the election in narnia?", "car").answered


def test_a_question_of_nothing_but_signs_breaks_nothing(ask: Ask) -> None:
    for text in ("?", "🦆" * 50, "how many", "what colour is", "is", "who " * 300):
        assert ask(text).answer
        assert ask(text, "dogs").answer


def test_chances_of_numbers_are_chances() -> None:
    for scores in ([], [0.9], [0.9, 0.2], [0.5] * 12):
        chances = count_chances(scores)
        assert chances.sum() == pytest.approx(1)
        assert (chances >= 0).all()
    assert count_chances([0.95, 0.95]).argmax() == 2
    assert say_count(1, "bus") == "1 bus"
    assert say_count(2, "bus") == "2 buses"


def test_colour_terms_of_plain_colours() -> None:
    for rgb, name in (
        ((250, 250, 250), "white"),
        ((10, 10, 12), "black"),
        ((30, 60, 200), "blue"),
        ((250, 220, 40), "yellow"),
        ((110, 70, 40), "brown"),
    ):
        shares = colour_shares(Picture(np.full((8, 8, 3), rgb, np.uint8)), (0, 0, 1, 1))
        from crossmedia.retrieval.answering.colours import COLOURS

        assert list(COLOURS)[int(shares.argmax())] == name


class Saying:
    """Says one thing, and counts how often it was asked."""

    model = "saying@1"

    def __init__(self, confidence: float) -> None:
        self.confidence = confidence
        self.asked = 0

    def answer(self, question: object, scope: object) -> Reply | None:
        self.asked += 1
        return Reply(str(self.confidence), self.confidence, (), self.model)


@pytest.mark.parametrize(
    ("confidences", "answer", "asked"),
    [
        ((0.7, 0.9, 0.6), "0.7", [1, 0, 1]),
        ((0.7, 0.9, 0.8), "0.8", [1, 0, 1]),
        ((0.4, 0.6, 0.6), "0.6", [1, 1, 1]),
        ((0.6,), "0.6", [1]),
    ],
)
def test_the_first_who_is_sure_speaks_unless_the_last_is_surer(
    kinds: Encoder[str], monkeypatch: pytest.MonkeyPatch, confidences: tuple[float, ...], answer: str, asked: list[int]
) -> None:
    builtin, answerers = BuiltIn(PROFILE, kinds), [Saying(one) for one in confidences]
    monkeypatch.setattr(builtin, "_answerers", lambda kind: answerers)
    assert builtin.reply("how many dogs are there?", None)[1].answer == answer  # type: ignore[arg-type]
    assert [one.asked for one in answerers] == asked


def test_who_is_foreign_is_asked_what_it_claims_and_what_ours_do_not_know(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(profile: object) -> Saying:
        raise ValueError("no model")

    specs = (
        AnswererSpec(name="failing", build=failing, kinds=("when",)),
        AnswererSpec(name="dated", build=lambda profile: Saying(0.75), kinds=("when", "how many")),
        AnswererSpec(name="torn", build=lambda profile: Saying(0.9), claims=lambda text: bool(1 / 0)),
        AnswererSpec(name="giraffes", build=lambda profile: Saying(0.9), claims=lambda text: "giraffe" in text),
    )
    usable = tuple(Extension(spec, "box 1.0") for spec in specs)
    assert not ask("when was the giraffe seen?").answered
    monkeypatch.setattr(foreign, "foreign_answerers", lambda: Extensions(usable, ()))
    assert ask("when was the giraffe seen?").answer == "0.9"
    assert ask("when was the unicorn seen?").answer == "0.75"
    assert ask("how many dogs are there?", "dogs").answer == "2 dogs"
