"""Texts of any language in `text` and `common`: English by MiniLM, other languages by the multilingual encoder."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from crossmedia.embeddings import query_bank
from crossmedia.embeddings.cards import COMMON, MINILM, UNIVERSAL, UNIVERSAL_WORDS
from crossmedia.embeddings.catalog import Catalog
from crossmedia.embeddings.clip_b16_words import BUILT_IN, MappedWords, OwnWords, bank_of, words_map
from crossmedia.embeddings.encoder import Encoding, Modality, Space, Vectors, normalise
from crossmedia.embeddings.joined import Restricted
from crossmedia.embeddings.languages import Languages, Reader
from crossmedia.embeddings.universal_words import UniversalWords


class Words:
    """Encoder of texts in sixteen languages. `universal` is opened at the first text that is not English; raises what
    opening it raises.

    A text in a script that neither reads lies by itself: its vector is drawn from its bytes, so that it is the nearest
    of the same text and of no other.
    """

    modality: Modality = "text"

    def __init__(self, english: MappedWords, universal: Callable[[], UniversalWords]) -> None:
        self._english = english
        self._open = universal
        self._languages = Languages(english.knows)
        self.spaces: tuple[Space, ...] = english.spaces
        self.model = f"{english.model}+{UniversalWords.model}"

    @cached_property
    def _universal(self) -> UniversalWords:
        return self._open()

    def encode(self, batch: Sequence[str]) -> Encoding:
        """Texts → unit vectors."""
        readers: list[Reader] = [self._languages.reader(text) for text in batch]
        vectors = {space.name: np.zeros((len(batch), space.dim), np.float32) for space in self.spaces}
        for reader in set(readers):
            places = [n for n, each in enumerate(readers) if each == reader]
            texts = [batch[n] for n in places]
            if reader == "none":
                for space in self.spaces:
                    vectors[space.name][places] = alone(texts, space)
                continue
            encoder = self._english if reader == "english" else self._universal
            read = encoder.encode(texts).vectors
            for name, rows in vectors.items():
                rows[places] = read[name]
        return Encoding(vectors)


def alone(texts: Sequence[str], space: Space) -> Vectors:
    """(N, dim) unit vectors that are near nothing, the same for the same text."""
    seeds = [int.from_bytes(hashlib.sha256(text.encode("utf-8", "replace")).digest()[:8]) for text in texts]
    content = space.dim - space.extra
    drawn = normalise(np.stack([np.random.default_rng(seed).standard_normal(content) for seed in seeds]))
    return query_bank.texts(drawn, np.ones((len(texts), 1), np.float32)) if space.extra else drawn


def open_words(catalog: Catalog, threads: int | None = None) -> Words:
    """Raises `ModelMissing` or `ModelCorrupt`."""
    mapped = words_map(catalog)

    def universal() -> UniversalWords:
        return UniversalWords(catalog.resolve(UNIVERSAL.id), catalog.resolve(UNIVERSAL_WORDS.id), bank_of(mapped))

    return Words(MappedWords(catalog.resolve(MINILM.id), mapped, threads), universal)


def words(where: str, catalog: Catalog, runtime: Any) -> Restricted[str] | OwnWords:
    """`built-in`, or a specification of OpenCLIP, into `common`. `runtime`: a `specification.Runtime`. Raises what
    opening the model raises."""
    if where == BUILT_IN:
        return Restricted(open_words(catalog, runtime.threads), COMMON.name)
    from crossmedia.embeddings.openclip import OpenClip

    clip = OpenClip(where, device=runtime.device, precision=runtime.precision, allow_hub=runtime.allow_hub)
    return OwnWords(clip.text)
