"""A picture that comes with a question: looked at as if it were indexed, and kept nowhere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

from crossmedia.api.invalid import InvalidRequest
from crossmedia.api.runtime import Runtime
from crossmedia.embeddings.catalog import sha256
from crossmedia.embeddings.media import Picture
from crossmedia.indexer.assemble import assemble
from crossmedia.indexer.scan import ScannedFile
from crossmedia.retrieval.documents import Moment

PASSES: Final = ("objects", "areas", "ocr", "plates")
"""What answers to a question about a picture rest on."""


def look_at(runtime: Runtime, path: Path) -> tuple[Picture, tuple[Moment, ...]]:
    """The decoded picture and its moments with what the passes say of it; raises what decoding raises, and
    InvalidRequest where it is none."""
    decoded = runtime.example_pool.submit(path).result()
    if not isinstance(decoded.content, Picture):
        raise InvalidRequest(
            f"{path.name} is not a picture",
            "index recordings, films and documents first, then ask about them with --asset",
        )
    file = ScannedFile.of(path, path.name, path.stat())
    profile = replace(runtime.profile, picture=runtime.profile.query_picture)
    document = assemble([(sha256(path), file, decoded)], profile, "")[0]
    moments = list(document.moments)
    for enricher in runtime.enrichers(PASSES)[0]:
        said = enricher.enrich(document.asset, decoded, moments)
        patches = {patch.moment: patch for patch in said.patches}
        moments = [
            replace(m, fields={**m.fields, **p.fields}, labels=(*m.labels, *p.labels))
            if (p := patches.get(m.id))
            else m
            for m in (*moments, *said.moments)
        ]
    return decoded.content, tuple(moments)
