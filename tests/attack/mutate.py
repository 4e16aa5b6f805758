"""A plain mutator: what happens to files on bad disks and in bad programs, and what people do to them on purpose."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Final

MAGIC: Final = (
    b"\xff\xd8\xff\xe0",
    b"\x89PNG\r\n\x1a\n",
    b"GIF89a",
    b"II*\x00",
    b"MM\x00*",
    b"II+\x00",
    b"BM",
    b"RIFF\xff\xff\xff\xffWEBP",
    b"RIFF\x00\x00\x00\x00WAVE",
    b"RIFF\xff\xff\xff\xffAVI ",
    b"FORM\x00\x00\x00\x08AIFF",
    b"\x1aE\xdf\xa3",
    b"OggS",
    b"fLaC",
    b"ID3\x04\x00\x00",
    b"FLV\x01",
    b"#!AMR\n",
    b"\x00\x00\x00\x18ftypmp42",
    b"\x00\x00\x00\x18ftypheic",
    b"\x00\x00\x00\x18ftypavif",
    b"\x00\x00\x00\x18ftypmif1",
    b"%PDF-1.7\n",
    b"PK\x03\x04",
    b"<svg ",
    b"<!doctype html>",
    b"<?xml version='1.0'?>",
    b"{\\rtf1",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    b"\x1f\x8b\x08",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"WEBVTT\n",
    b"[",
    b"{",
    b"\x00",
)
"""How files of known kinds begin."""
EXTREMES: Final = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, (1 << 63) - 1)
MAX_BYTES: Final = 400_000

Mutation = Callable[[random.Random, bytearray, Sequence[bytes]], bytearray]


def flip_bits(rng: random.Random, data: bytearray, others: Sequence[bytes]) -> bytearray:
    for _ in range(rng.choice((1, 1, 2, 8, 64))):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return data


def flip_head(rng: random.Random, data: bytearray, others: Sequence[bytes]) -> bytearray:
    """Headers are at the beginning, where few bits say much."""
    for _ in range(rng.randint(1, 6)):
        data[rng.randrange(min(64, len(data)))] = rng.randrange(256)
    return data


def truncate(rng: random.Random, data: bytearray, others: Sequence[bytes]) -> bytearray:
    return data[: rng.randint(1, len(data))]


def behead(rng: random.Random, data: bytearray, others: Sequence[bytes]) -> bytearray:
    return data[rng.randrange(len(data)) :]


def splice(rng: random.Random, data: bytearray, others: Sequence[bytes]) -> bytearray:
    other = rng.choice(others)
    start = rng.randrange(len(other))
    return data[: rng.randint(0, len(data))] + other[start : start + rng.randint(1, len(other))]


def set_length(rng: random.Random, data: bytearray, others: Sequence[bytes]) -> bytearray:
    """A number somewhere, which may be a length or a count, becomes an extreme one."""
    width = rng.choice((1, 2, 4, 8))
    value = rng.choice(EXTREMES) & ((1 << 8 * width) - 1)
    at = rng.randrange(min(len(data), rng.choice((64, 1024, len(data)))))
    data[at : at + width] = value.to_bytes(width, rng.choice(("little", "big")))
    return data


def repeat(rng: random.Random, data: bytearray, others: Sequence[bytes]) -> bytearray:
    start = rng.randrange(len(data))
    chunk = data[start : start + rng.randint(1, 200)]
    return data[:start] + chunk * rng.randint(2, 200) + data[start:]


def cut_out(rng: random.Random, data: bytearray, others: Sequence[bytes]) -> bytearray:
    start = rng.randrange(len(data))
    return data[:start] + data[start + rng.randint(1, 300) :]


def swap_magic(rng: random.Random, data: bytearray, others: Sequence[bytes]) -> bytearray:
    magic = rng.choice(MAGIC)
    return bytearray(magic) + data[len(magic) if rng.random() < 0.7 else 0 :]


def overwrite(rng: random.Random, data: bytearray, others: Sequence[bytes]) -> bytearray:
    start = rng.randrange(len(data))
    length = min(len(data) - start, rng.randint(1, 512))
    data[start : start + length] = rng.choice((bytes(length), b"\xff" * length, rng.randbytes(length)))
    return data


def change_digits(rng: random.Random, data: bytearray, others: Sequence[bytes]) -> bytearray:
    """Numbers that are written as text, as in PDFs, subtitles and tables."""
    places = [at for at, byte in enumerate(data) if 0x30 <= byte <= 0x39]
    for at in rng.sample(places, min(len(places), rng.randint(1, 4))):
        data[at : at + 1] = rng.choice((b"9" * rng.randint(1, 20), b"-1", b"0", b"1e308", b"NaN"))
    return data


def insert_text(rng: random.Random, data: bytearray, others: Sequence[bytes]) -> bytearray:
    """Characters that programs trip over: zeros, halves of pairs, other directions, controls, openers without end."""
    at = rng.randint(0, len(data))
    odd = (
        b"\x00",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        "\u202e\u2066".encode(),
        b"\r\n\r\n",
        b"\x1b[2J",
        "e\u0301".encode() * 50,
        b"<" * 200,
        b"[" * 3000,
        b"((" * 500,
        b"<div>" * 2000,
        b"&#x110000;",
        b"]]>",
        b"<!--",
        b"\\u" + b"9" * 30,
        b"%n%s",
        b"\xff\xfe",
    )
    return data[:at] + rng.choice(odd) + data[at:]


MUTATIONS: Final[tuple[Mutation, ...]] = (
    flip_bits,
    flip_head,
    truncate,
    behead,
    splice,
    set_length,
    set_length,
    repeat,
    cut_out,
    swap_magic,
    overwrite,
    change_digits,
    insert_text,
)


def mutated(rng: random.Random, seeds: Mapping[str, bytes]) -> tuple[str, bytes]:
    """A file that once was one of the seeds: its name and its bytes, changed once to four times. Sometimes it has the
    name of another kind."""
    names = sorted(seeds)
    others = list(seeds.values())
    name = rng.choice(names)
    data = bytearray(seeds[name])
    for _ in range(rng.choice((1, 1, 1, 2, 2, 4))):
        data = rng.choice(MUTATIONS)(rng, data or bytearray(b"\x00"), others)[:MAX_BYTES]
    if rng.random() < 0.1:
        name = name.rpartition(".")[0] + "." + rng.choice(names).rpartition(".")[2]
    return name, bytes(data)
