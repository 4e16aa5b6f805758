"""An Elasticsearch that is lost, only reads, or lets nobody in: one clear error, nothing half written, and all goes on
afterwards."""

from __future__ import annotations

import datetime
import ipaddress
import logging
import ssl
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from elasticsearch import Elasticsearch
from fastapi.testclient import TestClient

from crossmedia.api.server import create_app
from crossmedia.api.service import Service
from crossmedia.api.settings import Settings
from crossmedia.embeddings.errors import CrossmediaError
from tests.api.helpers import command, ended, kept, png, settings, upload
from tests.api.test_workers import until
from tests.elastic_servers import Node, wipe
from tests.retrieval.elastic.proxy import Fault, Proxy

LOGIN = "elastic:p@ss/w:rd?#%"
"""With all that has a meaning in an address."""
PASSWORD = LOGIN.partition(":")[2]


@pytest.fixture
def name(elastic_url: str) -> Iterator[str]:
    """A name for an index, wiped afterwards."""
    name = f"attack-{uuid.uuid4().hex[:8]}"
    yield name
    wipe(elastic_url, name)


def store_url(address: str, name: str, patience: float = 1, login: str = "") -> str:
    """What CROSSMEDIA_STORE has to be for a server."""
    scheme, _, host = address.partition("://")
    kind = {"http": "elasticsearch", "https": "elasticsearch+https"}[scheme]
    return f"{kind}://{login}{host}/{name}?replicas=0&patience={patience}"


def access(url: str, authority: Path) -> dict[str, str]:
    """The settings for a server that asks for a certificate and a password."""
    return {"store": url, "store_user": "elastic", "store_password": PASSWORD, "store_ca": str(authority)}


def texts(folder: Path, count: int) -> Path:
    folder.mkdir()
    for number in range(count):
        (folder / f"{number:03}.txt").write_text(f"The red boat number {number} comes home.")
    return folder


def whole(service: Service) -> list[str]:
    """The paths of what is indexed; of each asset everything is there."""
    assert service.runtime.store.verify(deep=True) == []
    located = [found.source.path.rpartition("/")[2] for found in service.runtime.store.located()]
    assert len(located) == len(set(located))
    return sorted(located)


def test_a_node_that_is_killed_while_it_is_written_to_and_searched(elastic_programs: Path, tmp_path: Path) -> None:
    node = Node(elastic_programs, tmp_path / "node")
    media = texts(tmp_path / "media", 120)
    try:
        service = Service(settings(tmp_path, store=store_url(node.start(), "killed")))
        with TestClient(create_app(service.runtime.settings)) as http:
            upload(http, first_txt=b"The first boat comes home.")
            seen: list[CrossmediaError] = []
            stop, answers = threading.Event(), []  # type: ignore[var-annotated]

            def search() -> None:
                while not stop.is_set():
                    answers.append(http.post("/v1/search", json={"text": "boat", "k": 1}))

            def tell(_: object) -> None:
                # Some are written, others are under way.
                if not killed.is_set():
                    killed.set()
                    node.stop(kill=True)

            killed = threading.Event()
            searcher = threading.Thread(target=search)
            searcher.start()
            try:
                with pytest.raises(CrossmediaError) as failure:
                    service.indexing.index([media], tell=tell)
                seen.append(failure.value)
            finally:
                stop.set()
                searcher.join()
            assert (seen[0].status, seen[0].code) == (503, "store_unusable")
            assert "cannot be reached" in seen[0].message
            assert seen[0].hint
            assert {answer.status_code for answer in answers} <= {200, 503}
            lost = http.post("/v1/search", json={"text": "boat"})
            assert (lost.status_code, lost.json()["error"]["code"]) == (503, "store_unusable")
            assert lost.json()["error"]["hint"]
            node.start()
            before = len(whole(service))
            assert 0 < before < 121
            report = service.indexing.index([media])
            assert report.failed == []
            assert len(whole(service)) == 121
            assert http.post("/v1/search", json={"text": "boat", "k": 1}).json()["hits"]
            assert upload(http, last_txt=b"The last boat comes home.")["state"] == "done"
        service.close()
    finally:
        node.stop(kill=True)


@pytest.mark.network
@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
def test_a_connection_that_breaks_in_the_middle_of_a_batch(
    elastic_url: str, name: str, tmp_path: Path, done: bool
) -> None:
    """Longer than anybody is patient, before the server has done it and after."""
    proxy = Proxy(elastic_url)
    service = Service(settings(tmp_path, store=store_url(proxy.url, name, patience=0.3)))
    try:
        media = texts(tmp_path / "media", 40)
        proxy.faults.append(Fault("_bulk", times=1000, drop=True, done=done))
        with pytest.raises(CrossmediaError) as failure:
            service.indexing.index([media])
        assert failure.value.status == 503
        proxy.faults.clear()
        found = whole(service)
        assert len(found) < 40
        service.indexing.index([media])
        assert len(whole(service)) == 40
    finally:
        service.close()
        proxy.close()


def block(elastic_url: str, name: str, blocked: bool) -> None:
    """As Elasticsearch does by itself above the flood-stage watermark, and below it."""
    with Elasticsearch(elastic_url) as client:
        value = True if blocked else None
        client.indices.put_settings(index=f"{name}*", settings={"index.blocks.read_only_allow_delete": value})


def test_disks_above_the_flood_stage(
    elastic_url: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crossmedia.indexer.worker.FULL_SECONDS", 1.0)
    with TestClient(create_app(settings(tmp_path, store=store_url(elastic_url, name)))) as http:
        first = upload(http, red_png=png("red"))["report"]["assets"]["red.png"]
        block(elastic_url, name, True)
        accepted = http.post("/v1/assets", files=[("file", ("blue.png", png("blue")))])
        assert accepted.status_code == 202
        job = accepted.json()["id"]
        waiting = until(
            lambda: seen if (seen := http.get(f"/v1/jobs/{job}").json())["error"] else None, "what it waits for"
        )
        assert (waiting["state"], waiting["error"]["code"]) == ("queued", "store_full")
        assert "free space" in waiting["error"]["hint"]
        refused = http.delete(f"/v1/assets/{first}")
        assert (refused.status_code, refused.json()["error"]["code"]) == (507, "store_full")
        assert refused.json()["error"]["hint"]
        hits = http.post("/v1/search", files={"file": ("q.png", png("red"))}).json()["hits"]
        assert [hit["asset"] for hit in hits] == [first], "what is there is still found, and nothing else"
        assert kept(tmp_path) == ["blue.png", "red.png"]
        block(elastic_url, name, False)
        assert ended(http, job)["report"]["added"] == 1
        assert http.delete(f"/v1/assets/{first}").status_code in (200, 204)
        service = http.app.state.crossmedia.service  # type: ignore[attr-defined]
        assert whole(service) == ["blue.png"]


def certificate(folder: Path, address: str = "127.0.0.1", days: int = 30) -> tuple[ssl.SSLContext, Path]:
    """A certificate that signs itself: what a server needs, and the file for those who trust it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test node")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=60))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    authority, both = folder / "authority.pem", folder / "server.pem"
    authority.write_bytes(pem)
    both.write_bytes(
        pem
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return context, authority


MakeProxy = Callable[..., tuple[Proxy, Path]]


@pytest.fixture
def guarded(elastic_url: str, tmp_path: Path) -> Iterator[MakeProxy]:
    """Makes a server with TLS that asks for a user and a password; gives it and the file of its authority."""
    made: list[Proxy] = []

    def make(**values: Any) -> tuple[Proxy, Path]:
        context, authority = certificate(tmp_path, **values)
        made.append(Proxy(elastic_url, context, LOGIN))
        return made[-1], authority

    yield make
    for proxy in made:
        proxy.close()


def test_tls_and_a_password(guarded: MakeProxy, name: str, tmp_path: Path, environment: dict[str, str]) -> None:
    proxy, authority = guarded()
    user, _, password = LOGIN.partition(":")
    given = {"store": store_url(proxy.url, name), "store_user": user, "store_password": password}
    with TestClient(create_app(settings(tmp_path, store_ca=authority, **given))) as http:
        asset = upload(http, red_png=png("red"))["report"]["assets"]["red.png"]
        assert http.get("/readyz").status_code == 200
        assert http.post("/v1/search", files={"file": ("q.png", png("red"))}).json()["hits"][0]["asset"] == asset
    # The same in the address, each sign with a meaning written by its number.
    quoted = "elastic:p%40ss%2Fw%3Ard%3F%23%25@"
    there = {
        **environment,
        "CROSSMEDIA_STORE": store_url(proxy.url, name, login=quoted),
        "CROSSMEDIA_STORE_CA": str(authority),
        "CROSSMEDIA_DATA": str(tmp_path / "data"),
    }
    for words in (("status",), ("show", asset), ("doctor",)):
        done = command(there, *words)
        for shown in (PASSWORD, quoted):
            assert shown not in done.stdout + done.stderr


REFUSED: dict[str, tuple[dict[str, str], str, str]] = {
    "a wrong password": ({"store_password": "wr0ng-s3cret"}, "store_refused", "CROSSMEDIA_STORE_PASSWORD"),
    "no password": ({"store_user": "", "store_password": ""}, "store_refused", "CROSSMEDIA_STORE_API_KEY"),
    "a wrong API key": ({"store_api_key": "wr0ng-s3cret"}, "store_refused", "CROSSMEDIA_STORE_API_KEY"),
    "an authority that is not known": ({"store_ca": ""}, "store_refused", "CROSSMEDIA_STORE_CA"),
    "a file that is absent": ({"store_ca": "/nowhere/ca.pem"}, "store_refused", "CROSSMEDIA_STORE_CA"),
    "a file that is no certificate": ({"store_ca": __file__}, "store_refused", "CROSSMEDIA_STORE_CA"),
    "no TLS": ({"scheme": "elasticsearch"}, "store_refused", "elasticsearch+https://"),
    "no TLS and no authority": ({"scheme": "elasticsearch", "store_ca": ""}, "store_unusable", "elasticsearch+https"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_who_is_not_let_in_is_reported_why(
    what: str,
    guarded: MakeProxy,
    name: str,
    tmp_path: Path,
    environment: dict[str, str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    proxy, authority = guarded()
    changed, code, hint = REFUSED[what]
    url = store_url(proxy.url, name, patience=0.2)
    given = {**access(url, authority), **changed}
    if scheme := given.pop("scheme", ""):
        given["store"] = url.replace("elasticsearch+https", scheme)
    _is_reported(given, code, hint, tmp_path, environment, caplog)


@pytest.mark.parametrize("values", [{"address": "127.0.0.2"}, {"days": -1}], ids=["of another host", "expired"])
def test_a_certificate_that_is_not_valid(
    values: dict[str, Any],
    guarded: MakeProxy,
    name: str,
    tmp_path: Path,
    environment: dict[str, str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    proxy, authority = guarded(**values)
    given = access(store_url(proxy.url, name, patience=0.2), authority)
    _is_reported(given, "store_refused", "certificate", tmp_path, environment, caplog)


def _is_reported(
    given: dict[str, str],
    code: str,
    hint: str,
    tmp_path: Path,
    environment: dict[str, str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Over HTTP and on the command line: what is wrong and what to do about it, without any secret."""
    with caplog.at_level(logging.DEBUG), TestClient(create_app(read(tmp_path, given))) as http:
        refused = http.post("/v1/search", json={"text": "boat"})
    error = refused.json()["error"]
    assert (refused.status_code, error["code"]) == (503, code)
    assert hint in error["hint"] + error["message"]
    there = {**environment, "CROSSMEDIA_DATA": str(tmp_path / "data")}
    there |= {f"CROSSMEDIA_{key.upper()}": value for key, value in given.items() if value}
    shown = command(there, "search", "boat", code=1)
    assert code in shown.stderr
    assert "Traceback" not in shown.stderr
    for secret in (PASSWORD, "wr0ng-s3cret"):
        assert secret not in shown.stdout + shown.stderr + refused.text + caplog.text


def read(tmp_path: Path, given: dict[str, str]) -> Settings:
    return settings(tmp_path, **{key: value for key, value in given.items() if value})
