"""What files say of where they come from: signed, tampered, truncated, declared, and nothing at all."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.ExifTags import IFD, Base
from PIL.PngImagePlugin import PngInfo

from crossmedia.embeddings.errors import DependencyMissing
from crossmedia.embeddings.media import Waveform
from crossmedia.indexer.decode import Decoded, Limits
from crossmedia.indexer.decode.errors import EmptyFile, Unreadable
from crossmedia.indexer.enrichers.trust import TrustEnricher
from crossmedia.indexer.provenance import c2pa, iptc, parameters
from crossmedia.indexer.provenance import reader as reading
from crossmedia.indexer.provenance.facts import MAX_FACT_CHARACTERS, Provenance, plain
from crossmedia.indexer.provenance.reader import ProvenanceReader, read_provenance
from crossmedia.retrieval.documents import Asset, Moment, moment_id
from tests.media_makers import tone, write_picture, write_sound, write_video, write_wav
from tests.signing import authority, signed

A1111 = (
    "a cat on the moon\nNegative prompt: dog\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Model hash: ab, "
    "Model: dream"
)
XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description Iptc4xmpExt:DigitalSourceType="'
    'http://cv.iptc.org/newscodes/digitalsourcetype/{}" xmp:CreatorTool="{}"/></rdf:RDF></x:xmpmeta>'
)


@pytest.fixture(scope="module")
def reader() -> Iterator[ProvenanceReader]:
    opened = ProvenanceReader()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return write_picture(tmp_path_factory.mktemp("photo") / "a.jpg").read_bytes()


def said(path: Path, anchors: str = "") -> Provenance:
    """In this process, without the one that can be killed."""
    found: Provenance = read_provenance(path, Limits(), anchors=anchors).metadata["provenance"]
    return found


def values(found: Provenance, kind: str = "trust") -> list[str]:
    return [fact.value for fact in found.facts if fact.kind == kind]


@pytest.mark.parametrize(
    ("name", "mime"),
    [
        ("a.jpg", "image/jpeg"),
        ("a.png", "image/png"),
        ("a.webp", "image/webp"),
        ("a.wav", "audio/wav"),
        ("a.mp3", "audio/mpeg"),
        ("a.mp4", "video/mp4"),
    ],
)
def test_a_signed_file_says_by_whom_and_how_it_was_made(
    tmp_path: Path, reader: ProvenanceReader, name: str, mime: str
) -> None:
    path = tmp_path / name
    if mime.startswith("image"):
        write_picture(path)
    elif name.endswith("mp4"):
        write_video(path, [(1, 0.5)])
    elif name.endswith("mp3"):
        write_sound(path, tone(1), "libmp3lame")
    else:
        write_wav(path, tone(1))
    assert not reader(path).facts
    path.write_bytes(signed(path.read_bytes(), mime))
    found = reader(path)
    assert values(found) == ["signer unknown", "generated"]
    assert values(found, "signer") == ["Ada Tester"]
    assert values(found, "generator") == ["TestPainter 1"]
    assert values(found, "source-type") == ["trainedAlgorithmicMedia"]
    assert found.manifest is not None
    assert (found.manifest["issuer"], found.manifest["problems"]) == ("Tests", [])
    assert all(fact.by.startswith("c2pa-") for fact in found.facts)


def test_a_signer_is_known_by_a_trust_anchor(tmp_path: Path, photo: bytes) -> None:
    path, anchors = tmp_path / "a.jpg", tmp_path / "anchors.pem"
    path.write_bytes(signed(photo, "image/jpeg", "digitalCapture"))
    anchors.write_bytes(authority().pem)
    assert values(said(path)) == ["signer unknown", "captured"]
    assert values(said(path, anchors.read_text())) == ["signed", "captured"]
    known = ProvenanceReader(anchors)
    assert known.model != ProvenanceReader().model
    with pytest.raises(Unreadable, match="no certificate"):
        ProvenanceReader(_text(tmp_path))


def _text(folder: Path) -> Path:
    path = folder / "none.pem"
    path.write_text("hello")
    return path


def test_what_was_changed_since_is_believed_only_against_itself(tmp_path: Path, photo: bytes) -> None:
    for source_type, believed in (("trainedAlgorithmicMedia", ["generated"]), ("digitalCapture", [])):
        data = bytearray(signed(photo, "image/jpeg", source_type))
        data[-60] ^= 0xFF
        (tmp_path / "a.jpg").write_bytes(data)
        found = said(tmp_path / "a.jpg", authority().pem.decode())
        assert values(found) == [*believed, "signature invalid"] or values(found) == ["signature invalid", *believed]
        assert not values(found, "signer")
        assert found.manifest is not None
        assert "dataHash.mismatch" in found.manifest["problems"][0]


def test_a_manifest_signed_by_nobody_is_told_as_unreadable(tmp_path: Path, photo: bytes) -> None:
    data = bytearray(signed(photo, "image/jpeg"))
    place = data.find(b"c2pa.signature\0")
    data[place + 100 : place + 400] = bytes(300)
    (tmp_path / "a.jpg").write_bytes(data)
    found = said(tmp_path / "a.jpg")
    assert values(found) == ["manifest unreadable"]
    assert "cannot be read" in found.notes[0]


@pytest.mark.parametrize("share", [0.02, 0.1, 0.3, 0.6, 0.9, 0.99])
@pytest.mark.parametrize("mime", ["image/jpeg", "image/png"])
def test_truncated_files_are_told_honestly(tmp_path: Path, photo: bytes, mime: str, share: float) -> None:
    path = tmp_path / "a"
    if mime == "image/png":
        buffer = io.BytesIO()
        Image.open(io.BytesIO(photo)).save(buffer, "PNG")
        photo = buffer.getvalue()
    data = signed(photo, mime)
    path.write_bytes(data[: max(64, round(share * len(data)))])
    assert not set(values(said(path))) & {"signed", "signer unknown", "captured"}


@given(place=st.integers(0, 1 << 20), bits=st.integers(1, 255))
def test_any_byte_changed_never_fails(tmp_path_factory: pytest.TempPathFactory, place: int, bits: int) -> None:
    data = bytearray(_signed_small())
    data[place % len(data)] ^= bits
    path = tmp_path_factory.getbasetemp() / "changed.jpg"
    path.write_bytes(data)
    found = said(path)
    assert "signed" not in values(found)


_SMALL: list[bytes] = []


def _signed_small() -> bytes:
    if not _SMALL:
        buffer = io.BytesIO()
        Image.new("RGB", (8, 8), "red").save(buffer, "JPEG")
        _SMALL.append(signed(buffer.getvalue(), "image/jpeg"))
    return _SMALL[0]


def test_a_generated_picture_that_was_edited_stays_generated(tmp_path: Path, photo: bytes) -> None:
    (tmp_path / "a.jpg").write_bytes(signed(photo, "image/jpeg", parent=signed(photo, "image/jpeg")))
    found = said(tmp_path / "a.jpg")
    assert "generated" in values(found)
    assert found.manifest is not None
    assert found.manifest["ingredients"] == 1


@pytest.mark.parametrize(
    ("term", "meaning"),
    [
        ("trainedAlgorithmicMedia", "generated"),
        ("compositeWithTrainedAlgorithmicMedia", "composite"),
        ("algorithmicallyEnhanced", "edited"),
        ("digitalCapture", "captured"),
        ("screenCapture", None),
    ],
)
def test_source_types_in_xmp(tmp_path: Path, term: str, meaning: str | None) -> None:
    write_picture(tmp_path / "a.jpg", xmp=XMP.format(term, "Paint").encode())
    found = said(tmp_path / "a.jpg")
    assert values(found) == ([meaning] if meaning else [])
    assert values(found, "source-type") == [term]
    assert all(fact.by == iptc.BY for fact in found.facts)


def test_source_types_as_elements_and_resources() -> None:
    for text in (
        "<Iptc4xmpExt:DigitalSourceType>{}</Iptc4xmpExt:DigitalSourceType>",
        '<Iptc4xmpExt:DigitalSourceType rdf:resource="{}"/>',
        "<Iptc4xmpExt:DigitalSourceType xml:lang='x'>{}</Iptc4xmpExt:DigitalSourceType>",
    ):
        facts = iptc.facts(text.format("http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"))
        assert [fact.value for fact in facts] == ["trainedAlgorithmicMedia", "generated"], text


def test_parameters_in_png_text_and_exif(tmp_path: Path) -> None:
    text = PngInfo()
    text.add_text("parameters", A1111)
    write_picture(tmp_path / "a.png", pnginfo=text)
    assert values(said(tmp_path / "a.png"), "generator") == ["Stable Diffusion, dream"]
    for number, coded in enumerate(
        (
            b"UNICODE\0" + A1111.encode("utf-16-be"),
            b"UNICODE\0" + A1111.encode("utf-16-le"),
            b"ASCII\0\0\0" + A1111.encode(),
        )
    ):
        exif = Image.Exif()
        exif.get_ifd(IFD.Exif)[Base.UserComment] = coded
        write_picture(tmp_path / f"{number}.jpg", exif=exif)
        assert values(said(tmp_path / f"{number}.jpg")) == ["generated"]
    exif = Image.Exif()
    exif[Base.Software] = "Adobe Firefly 3"
    write_picture(tmp_path / "b.webp", exif=exif)
    assert values(said(tmp_path / "b.webp"), "generator") == ["Adobe Firefly"]
    write_picture(tmp_path / "c.jpg", xmp=XMP.format("x", "Midjourney v7").encode())
    assert values(said(tmp_path / "c.jpg"), "generator") == ["Midjourney"]
    write_video(tmp_path / "d.mp4", [(1, 0.5)], metadata={"comment": '{"3": {"class_type": "KSampler"}}'})
    assert values(said(tmp_path / "d.mp4"), "generator") == ["ComfyUI"]


@pytest.mark.parametrize(
    ("key", "text", "program"),
    [
        ("prompt", '{"3": {"class_type": "KSampler"}}', "ComfyUI"),
        ("workflow", '{"nodes": [1]}', "ComfyUI"),
        ("ImageDescription", "a cat --ar 3:2 --v 6.1 Job ID: 0b1c2d3e-1", "Midjourney"),
        ("invokeai_metadata", "{}", "InvokeAI"),
        ("Software", "NovelAI", "NovelAI"),
        ("Make", "DALL·E", "DALL-E"),
        ("Software", "Adobe Photoshop 25", None),
        ("Make", "Canon", None),
        ("Title", "How Midjourney works", None),
        ("Comment", "Steps: 3 up to the door", None),
        ("Software", "Fireflying club", None),
    ],
)
def test_generators_are_known_by_their_habits(key: str, text: str, program: str | None) -> None:
    assert parameters.generator(key, text) == program


@given(st.text(max_size=2000))
def test_texts_of_strangers_become_short_plain_values(text: str) -> None:
    value = plain(text)
    assert len(value) <= MAX_FACT_CHARACTERS
    assert not any(ord(c) < 32 or c in "\u202e\u200b\x7f" for c in value)


def test_odd_pictures_say_nothing(tmp_path: Path) -> None:
    Image.new("L", (1, 1)).save(tmp_path / "one.png")
    Image.new("L", (9, 9)).save(tmp_path / "grey.jpg")
    Image.new("CMYK", (9, 9)).save(tmp_path / "cmyk.jpg")
    frames = [Image.new("RGB", (9, 9), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "moving.gif", save_all=True, append_images=frames[1:])
    frames[0].save(tmp_path / "moving.png", save_all=True, append_images=frames[1:])
    for path in tmp_path.iterdir():
        assert said(path) == Provenance(), path


def test_no_file_is_a_clear_error(tmp_path: Path, reader: ProvenanceReader) -> None:
    (tmp_path / "empty.jpg").touch()
    with pytest.raises(EmptyFile):
        reader(tmp_path / "empty.jpg")
    with pytest.raises(Unreadable):
        reader(tmp_path / "absent.jpg")


def test_without_the_library_the_rest_is_read(tmp_path: Path, photo: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent() -> str:
        raise DependencyMissing("c2pa-python is not installed", 'pip install "crossmedia[trust]"')

    monkeypatch.setattr(c2pa, "version", absent)
    monkeypatch.setattr(reading, "find_spec", lambda name: None)
    assert ProvenanceReader().missing[0].hint == 'pip install "crossmedia[trust]"'
    path = tmp_path / "a.jpg"
    path.write_bytes(signed(photo, "image/jpeg"))
    assert said(path) == Provenance()
    write_picture(path, xmp=XMP.format("digitalCapture", "Camera").encode())
    assert values(said(path)) == ["captured"]


def test_the_enricher_labels_the_first_moment_of_its_own(
    tmp_path: Path, photo: bytes, reader: ProvenanceReader
) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(signed(photo, "image/jpeg"))
    asset = Asset("ab" * 32, "image", "image/jpeg", 1, "a")
    turn = Moment(moment_id(asset.id, "turn", 0), asset.id, "turn", 0.0, 1.0)
    own = Moment(moment_id(asset.id, "picture", 0), asset.id, "picture")
    decoded = Decoded("audio", "audio/x", Waveform(tone(0.1)))
    found = TrustEnricher(reader, lambda name: path).enrich(asset, decoded, [turn, own])
    (patch,) = found.patches
    assert patch.moment == own.id
    assert {(label.kind, label.value) for label in patch.labels} >= {("trust", "generated"), ("signer", "Ada Tester")}
    assert all(label.score == 1 and label.start is None for label in patch.labels)
    path.write_bytes(photo)
    assert TrustEnricher(reader, lambda name: path).enrich(asset, decoded, [own]).patches == ()
    with pytest.raises(Unreadable, match="has moved or was deleted"):
        TrustEnricher(reader, lambda name: None).enrich(asset, decoded, [own])
