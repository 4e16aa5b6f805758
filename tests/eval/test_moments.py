"""Moments are measured as defined: overlaps, word errors, word times, names of voices; and reports say where from."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from crossmedia.api.service import Service
from crossmedia.api.settings import read_settings
from crossmedia.embeddings.media import Waveform
from crossmedia.embeddings.profile import Utterance, Word
from crossmedia.eval import figures, found, spoken, voices
from crossmedia.eval.cli import app
from crossmedia.eval.figures import Figure, Section
from crossmedia.eval.moments import SEED, Moments, UnknownSection
from crossmedia.eval.planted import Planted
from crossmedia.eval.report import Context
from tests.media_makers import tone, write_wav

words = st.lists(st.sampled_from("abcd"), max_size=7)
spans = st.tuples(st.floats(0, 50), st.floats(0.5, 50)).map(lambda pair: (pair[0], pair[0] + pair[1]))


def by_definition(one: list[str], other: list[str]) -> int:
    if not one or not other:
        return len(one) + len(other)
    return min(
        by_definition(one[1:], other[1:]) + (one[0] != other[0]),
        by_definition(one[1:], other) + 1,
        by_definition(one, other[1:]) + 1,
    )


@settings(deadline=None)
@given(st.lists(st.sampled_from("abc"), max_size=5), st.lists(st.sampled_from("abc"), max_size=5))
def test_word_errors_are_those_of_the_definition(one: list[str], other: list[str]) -> None:
    assert spoken.errors(one, other) == by_definition(one, other)


@settings(deadline=None)
@given(words, words, words)
def test_word_errors_are_a_distance(one: list[str], other: list[str], third: list[str]) -> None:
    assert spoken.errors(one, one) == 0
    assert spoken.errors(one, other) == spoken.errors(other, one)
    assert spoken.errors(one, third) <= spoken.errors(one, other) + spoken.errors(other, third)


def test_the_rate_is_over_all_words_not_over_recordings() -> None:
    rate, low, high = spoken.ratio(np.array([1, 0]), np.array([1, 9]))
    assert rate == pytest.approx(0.1)
    assert (low, high) == (0, 1)


def test_text_is_compared_as_whisper_does() -> None:
    pytest.importorskip("whisper_normalizer")
    plain = spoken.normaliser()
    assert (
        plain("Mr. O'Neil's colour isn't grey, um, at twenty two!").split()
        == plain("mister o'neil's color is not gray at 22").split()
    )


def test_words_belong_to_the_nearest_span() -> None:
    said = [Word("a", 0.9, 1.2), Word("b", 1.5, 2.0), Word("c", 4.1, 4.4), Word("late", 9, 9.5)]
    own = spoken.assign([(1, 2), (4, 5), (20, 21)], said)
    assert [[word.text for word in part] for part in own] == [["a", "b"], ["c", "late"], []]


def test_word_times_are_of_the_first_and_last_word() -> None:
    planted = Planted(Path(), (), (), (("good morning", 1.0, 2.0), ("never heard", 8.0, 9.0)), (), {})
    section = spoken.word_times(planted, [Word("good", 1.1, 1.5), Word("morning", 1.5, 2.6)])
    told = {figure.what: figure.value for figure in section.figures}
    assert told["known sentences and words that are heard"] == 0.5
    assert told["beginnings within 0.3 s"] == 1
    assert told["ends, median off"] == pytest.approx(0.6)
    assert told["both within 0.3 s"] == 0.5
    assert len(section.details) == 2


class Parrot:
    """Says the same of everything."""

    model = "parrot"

    def transcribe(self, waveform: Waveform, progress: object = None) -> list[Utterance]:
        return [Utterance("Thank you.", 0, 1, ())] if np.abs(waveform.samples).max() > 0.1 else []


def test_what_is_invented_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spoken, "MINUTES", 1)
    section = spoken.count_invented(Parrot())
    assert [figure.value for figure in section.figures] == [0, 0, 2]
    assert section.details == ("in music: “Thank you.” at 0.0 s",)


@settings(deadline=None)
@given(spans, spans)
def test_overlap_is_symmetric_and_whole_only_for_the_same(one: tuple[float, float], other: tuple[float, float]) -> None:
    assert found.overlap(one, other) == found.overlap(other, one)
    assert 0 <= found.overlap(one, other) <= 1
    assert found.overlap(one, one) == 1


def test_names_are_compared_with_speakers() -> None:
    turns = [voices.NamedTurn(who, who.upper(), f"{who}{n}") for who in "abc" for n in range(3)]
    assert (voices.purity(turns), voices.pairwise(turns)) == (1, (1, 1))
    split = [voices.NamedTurn(turn.speaker, turn.asset, turn.asset) for turn in turns]
    assert (voices.purity(split), voices.pairwise(split)) == (1, (0, 0))
    thrown = [voices.NamedTurn(turn.speaker, "one", turn.asset) for turn in turns]
    assert voices.purity(thrown) == pytest.approx(1 / 3)
    assert voices.pairwise(thrown) == (pytest.approx(9 / 36), 1)


@pytest.fixture
def toy_service(tmp_path: Path) -> Service:
    return Service(read_settings(data=tmp_path / "data", profile="toy", decode_workers=1))


def test_what_is_found_is_where_it_was_planted(toy_service: Service, tmp_path: Path) -> None:
    path = tmp_path / "planted.wav"
    write_wav(path, np.concatenate([tone(9, 200), np.zeros(6 * 16_000, np.float32), tone(9, 3000)]))
    toy_service.indexing.index([path], "planted")
    moments = (("low", 0.0, 9.0, "sound"), ("high", 15.0, 24.0, "sound"), ("exit", 0.0, 9.0, "writing"))
    asked = found.ask(toy_service, Planted(path, (), (), (), moments, {}), "planted")
    toy_service.close()
    assert [(one.query, one.within(1)) for one in asked] == [("low", True), ("high", True)]


def test_sections_are_known_by_name(toy_service: Service, tmp_path: Path) -> None:
    with pytest.raises(UnknownSection) as error:
        list(Moments(toy_service, tmp_path, tmp_path).run(["nonsense"], print))
    toy_service.close()
    assert "planted" in error.value.hint


def test_reports_say_where_figures_come_from(tmp_path: Path) -> None:
    sections = [
        Section("Words", "Of so much.", (figures.share("right", [True, True, False], "all"),), ("a case",), 1.5)
    ]
    figures.write(tmp_path, "Moments", Context("crossmedia eval", "moments", ("m@1",), "here"), sections)
    text = (tmp_path / "report.md").read_text()
    assert "Command: `crossmedia eval`" in text
    assert "| right | 66.7 % [0.0, 100.0] | 3 | all |" in text
    assert "- a case" in text
    content = json.loads((tmp_path / "report.json").read_text())
    assert content["sections"][0]["figures"][0]["of"] == 3
    assert Figure("off", 0.1234, "s").shown == "0.123 s"
    assert Figure("voices", 6, "").shown == "6"


def test_an_unknown_section_ends_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROSSMEDIA_PROFILE", "toy")
    done = CliRunner().invoke(app, ["moments", "--only", "nonsense", "--out", str(tmp_path / "out")])
    assert done.exit_code == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.shared
@pytest.mark.slow
def test_words_of_a_real_recording(whisper_folder: Path, shared: Path, tmp_path: Path) -> None:
    pytest.importorskip("whisper_normalizer")
    from crossmedia.embeddings.speech import Whisper

    for path in sorted((shared / "data" / "spoken_captions").glob("*.*"))[:16]:
        (tmp_path / path.name).symlink_to(path)
    section = spoken.word_errors(Whisper(whisper_folder), tmp_path, spoken.normaliser())
    assert section.figures[0].value < 0.2


@pytest.mark.shared
@pytest.mark.slow
@pytest.mark.usefixtures("whisper_folder")
def test_what_is_planted_is_found_and_timed(shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crossmedia.eval.moments.PLANTED", (SEED,))
    monkeypatch.setattr("crossmedia.eval.planted._PHOTOS", 20)  # the report has the figures of thirty
    with contextlib.closing(Service(read_settings(data=tmp_path / "data"))) as service:
        moments = Moments(service, shared / "data", tmp_path)
        searched, timed = moments.run(["planted", "times"], print)
    told = {figure.what: figure.value for section in (searched, timed) for figure in section.figures}
    assert told["all, first hit"] >= 0.8
    assert told["speech, first hit"] >= 0.9
    assert told["sound, first hit"] >= 0.8
    assert told["of first hits anywhere in the right stretch, those of the right span"] >= 0.9
    # Of eight words one may be heard otherwise: where the recogniser is unsure it samples.
    assert told["both within 0.3 s"] >= 0.85
    asked = next(figure.of for figure in searched.figures if figure.what == "all, first hit")
    assert len(searched.details) == round(asked * (1 - told["all, first hit"]))
