"""Where an Elasticsearch is: `elasticsearch://host:9200,host2:9200/name?shards=3`, and how one gets in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from crossmedia.embeddings.errors import CrossmediaError

SCHEMES: Final[Mapping[str, str]] = {"elasticsearch": "http", "elasticsearch+https": "https"}
ANALYZERS: Final = (
    "words",
    "arabic",
    "cjk",
    "dutch",
    "english",
    "french",
    "german",
    "hindi",
    "italian",
    "portuguese",
    "russian",
    "spanish",
    "standard",
)
"""`words` splits and stems as the local store does, whatever the language of its letters; the others are
Elasticsearch's own."""
VECTORS: Final = ("int8_hnsw", "hnsw", "bbq_hnsw", "int8_flat", "flat")
"""Elasticsearch's kinds of vector index; the flat ones are exact and compare with every vector."""
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")


class BadAddress(CrossmediaError):
    """What should name a store names none."""

    code = "invalid_setting"
    status = 422


@dataclass(frozen=True)
class Address:
    """`hosts`: URLs of nodes of one cluster; `name`: the alias. The rest is how an index is made when there is none
    yet, and for how many seconds a node that does not answer is asked again (`patience`)."""

    hosts: tuple[str, ...]
    name: str = "crossmedia"
    shards: int = 1
    replicas: int = 1
    analyzer: str = "words"
    vectors: str = "int8_hnsw"
    patience: float = 30.0

    def __str__(self) -> str:
        return f"{', '.join(self.hosts)} ({self.name})"


@dataclass(frozen=True)
class Access:
    """An API key, or a user and a password; `ca`: a file with the certificate that signed the server's. None is
    shown."""

    api_key: str = field(default="", repr=False)
    user: str = ""
    password: str = field(default="", repr=False)
    ca: str = ""


def is_elastic(url: str) -> bool:
    """Whether a setting names an Elasticsearch."""
    return url.partition("://")[0] in SCHEMES


def parse_address(url: str, access: Access) -> tuple[Address, Access]:
    """The address and the access, with a user and password out of the URL where it has them. Raises BadAddress, which
    never shows the URL: it may hold a password."""
    scheme, _, rest = url.partition("://")
    if scheme not in SCHEMES:
        raise _bad(f"a store begins with {' or '.join(f'{s}://' for s in SCHEMES)}")
    try:
        parts = urlsplit(f"//{rest}")
        options = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True)) if parts.query else {}
    except ValueError as error:
        raise _bad("it cannot be parsed") from error
    credentials, _, hosts = parts.netloc.rpartition("@")
    if credentials:
        user, _, password = credentials.partition(":")
        access = Access(access.api_key, unquote(user), unquote(password), access.ca)
    name = parts.path.strip("/") or "crossmedia"
    if not _NAME.fullmatch(name):
        raise _bad(f"{name!r} is no name of an index: lower-case letters, digits, . _ and -")
    return Address(tuple(_host(SCHEMES[scheme], host) for host in hosts.split(",")), name, **_options(options)), access


def _host(scheme: str, host: str) -> str:
    name, _, port = host.rpartition(":")
    if not name:
        name, port = host, "9200"
    if not re.fullmatch(r"[\w.-]+|\[[0-9a-fA-F:]+\]", name) or not port.isdigit():
        raise _bad(f"{host!r} is no host:port")
    return f"{scheme}://{name}:{port}"


def _options(given: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in given.items():
        if (
            name in ("shards", "replicas")
            and value.isdigit()
            and (int(value) or name == "replicas")
            and int(value) <= 1024
        ):
            found[name] = int(value)
        elif name == "patience" and re.fullmatch(r"\d{1,4}(\.\d+)?", value):
            found[name] = float(value)
        elif (name, value) in {*(("analyzer", a) for a in ANALYZERS), *(("vectors", v) for v in VECTORS)}:
            found[name] = value
        else:
            raise _bad(f"{name}={value} is no option of it")
    return found


def _bad(why: str) -> BadAddress:
    known = f"analyzer: {', '.join(ANALYZERS)}; vectors: {', '.join(VECTORS)}"
    return BadAddress(
        f"the store's address is wrong: {why}",
        f"elasticsearch://HOST:9200/NAME?shards=1&replicas=1&analyzer=words&vectors=int8_hnsw&patience=30 ({known})",
    )
