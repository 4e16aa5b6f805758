"""Read C2PA manifests: who signed a file, and whether it is unchanged since.

Read by the C2PA project's own library (https://spec.c2pa.org), from the file alone: nothing is fetched, neither
manifests that lie elsewhere nor whether a certificate was withdrawn. Without trust anchors any signature that fits is
of a "signer unknown".
"""

from __future__ import annotations

import json
import logging
import mmap
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from crossmedia.embeddings.errors import DependencyMissing
from crossmedia.indexer.provenance.facts import (
    COMPOSITE,
    GENERATED,
    INVALID,
    SIGNED,
    UNKNOWN,
    UNREADABLE,
    Fact,
    Provenance,
    plain,
)
from crossmedia.indexer.provenance.iptc import term, trust_meaning

DEEP: Final = 12
"""Levels of a manifest that are looked into, and ingredients of ingredients."""
MAX_MANIFEST_VALUES: Final = 5_000
"""Values of a manifest that are looked at."""
MAX_JSON_CHARACTERS: Final = 32 << 20
"""Characters of JSON that are read."""
AGAINST: Final = (GENERATED, COMPOSITE)
"""What a broken manifest is still believed: what a file says against itself."""
STATES: Final = {"Trusted": SIGNED, "Valid": UNKNOWN, "Invalid": INVALID}


def version() -> str:
    """The library's. Raises DependencyMissing."""
    return str(_library().sdk_version())


def read_manifest(path: Path, anchors: str = "") -> Provenance:
    """What the manifest of a file says. `anchors`: certificates in PEM of those who may sign, or say who may.

    A file without a manifest says nothing. One whose manifest cannot be read is told so. Raises DependencyMissing.
    """
    library = _library()
    by = f"c2pa-{library.sdk_version()}"
    verify = {"verify_trust": True, "ocsp_fetch": False, "remote_manifest_fetch": False}
    settings: dict[str, Any] = {"verify": verify, "core": {"allowed_network_hosts": []}}
    if anchors:
        settings["trust"] = {"trust_anchors": anchors}
    try:
        with path.open("rb") as file, library.Context.from_dict(settings) as context:
            reader = library.Reader.try_create(None, file, context=context)
            if reader is None:
                return Provenance()
            with reader:
                text, remote = reader.json(), reader.get_remote_url()
        if len(text) > MAX_JSON_CHARACTERS:
            raise ValueError("it is too large")
        return _read_store(json.loads(text), by, remote)
    except (library.C2paError, ValueError, RecursionError) as error:
        if not has_manifest(path):
            return Provenance()
        reason = plain(error)
        return Provenance(
            (Fact("trust", UNREADABLE, by),),
            {"state": UNREADABLE, "problems": [reason]},
            (f"there is a C2PA manifest that cannot be read: {reason}",),
        )


def has_manifest(path: Path) -> bool:
    """Whether a manifest seems to begin somewhere in a file: its outermost box (JUMBF, ISO 19566-5) names itself."""
    if not path.stat().st_size:
        return False
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        place = data.find(b"jumdc2pa")
        return place >= 0


def _read_store(store: Mapping[str, Any], by: str, remote: str | None) -> Provenance:
    manifests = store.get("manifests") or {}
    active = manifests.get(store.get("active_manifest")) or {}
    state = STATES.get(str(store.get("validation_state")), INVALID)
    problems = [
        plain(f"{one.get('code')}: {one.get('explanation')}")
        for one in store.get("validation_status") or []
        if one.get("code") != "signingCredential.untrusted"
    ]
    signature = active.get("signature_info") or {}
    signer, issuer = plain(signature.get("common_name") or ""), plain(signature.get("issuer") or "")
    if not signature:
        state = INVALID
        problems = problems or ["nobody signed it"]
    facts = [Fact("trust", state, by)]
    if state != INVALID:
        facts.append(Fact("signer", signer or issuer, by))
    line = _line(store.get("active_manifest"), manifests)
    types: list[str] = []
    for label, manifest in manifests.items():
        for name in _types(manifest):
            # A picture that was only put into another one makes that a composite.
            meaning = trust_meaning(name) if label in line else COMPOSITE if trust_meaning(name) in AGAINST else None
            types.append(name)
            if state != INVALID or meaning in AGAINST:
                facts.append(Fact("source-type", name, by))
                facts += [Fact("trust", meaning, by)] if meaning else []
    program = _program(active)
    if state != INVALID or any(fact.value in AGAINST for fact in facts):
        facts.append(Fact("generator", program, by))
    manifest = {
        "state": state,
        "signer": signer or None,
        "issuer": issuer or None,
        "generator": program or None,
        "time": plain(signature.get("time") or "") or None,
        "title": plain(active.get("title") or "") or None,
        "source_types": list(dict.fromkeys(types)),
        "ingredients": len(active.get("ingredients") or []),
        "embedded": remote is None,
        "problems": problems[:10],
    }
    return Provenance(tuple(facts), manifest)


def _line(active: object, manifests: Mapping[str, Any]) -> set[str]:
    """The manifests of the file itself: the active one, that of what it was made of, and so on."""
    line: set[str] = set()
    label = active
    while isinstance(label, str) and label in manifests and label not in line and len(line) < DEEP:
        line.add(label)
        ingredients = manifests[label].get("ingredients") or []
        label = next((i.get("active_manifest") for i in ingredients if i.get("relationship") == "parentOf"), None)
    return line


def _types(manifest: Mapping[str, Any]) -> list[str]:
    """The digital source types that a manifest's assertions name."""
    return list(dict.fromkeys(term(value) for value in _named_types(manifest.get("assertions") or [])))


def _named_types(assertions: Any) -> Iterator[str]:
    waiting, seen = [(assertions, 0)], 0
    while waiting and seen < MAX_MANIFEST_VALUES:
        value, depth = waiting.pop()
        seen += 1
        if depth > DEEP:
            continue
        if isinstance(value, dict):
            for key, inner in value.items():
                if isinstance(inner, str) and str(key).lower().rsplit(":", 1)[-1] == "digitalsourcetype":
                    yield inner
                else:
                    waiting.append((inner, depth + 1))
        elif isinstance(value, list):
            waiting += [(inner, depth + 1) for inner in value]


def _program(manifest: Mapping[str, Any]) -> str:
    """What made the claim, with its version."""
    info = next(iter(manifest.get("claim_generator_info") or []), None)
    if isinstance(info, dict):
        return plain(f"{info.get('name') or ''} {info.get('version') or ''}")
    return plain(manifest.get("claim_generator") or "")


def _library() -> Any:
    try:
        # It sets a handler of the root logger's, and warns of what it is about to change.
        with warnings.catch_warnings(action="ignore"):
            import c2pa
    except ImportError as error:
        raise DependencyMissing("c2pa-python is not installed", 'pip install "crossmedia[trust]"') from error
    logging.getLogger("c2pa").setLevel(logging.CRITICAL)
    return c2pa
