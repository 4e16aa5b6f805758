"""Names that requests call the service by, as a browser never and an attacker may send them, over a real connection."""

from __future__ import annotations

import random
import socket
from pathlib import Path

import pytest

from tests.attack.processes import served
from tests.attack.scale import count, draw, share

pytestmark = [pytest.mark.slow, pytest.mark.process, pytest.mark.network]

OWN = ("localhost", "127.0.0.1", "[::1]")
FOREIGN = (
    "evil.example",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "evil.localhost",
    "localhostx",
    "xlocalhost",
    "127.0.0.1x",
    "0x7f000001",
    "2130706433",
    "0177.0.0.1",
    "127.1",
    "[::1",
    "::1]",
    "[::ffff:127.0.0.1].evil",
    "192.0.2.1",
    "[fe80::1]",
    "evil",
    "%6cocalhost",
    "localhost%00",
    "loc\u0430lhost",
    "localhost\u3002",
    "xn--localhost",
    "-",
    ".",
    "..",
    "localhost..",
    "*",
    "",
)
AROUND = (
    "{}",
    "{}:8000",
    "{}:",
    "{}:80",
    "{}.",
    "{}.:80",
    "u@{}",
    "u:p@{}",
    "{}@evil.example",
    "{}:80@evil.example",
    "{}/",
    "{}/..",
    "{}?a",
    "{}#a",
    " {}",
    "{} ",
    "\t{}",
    "{},evil.example",
    "evil.example,{}",
    "{}:evil",
    "{}:99999999999",
    "{}\\evil.example",
    "http://{}",
)
KEPT = {"{}:99999999999", "{}", "{}:8000", "{}:", "{}:80", "{}.", "{}.:80", " {}", "{} ", "\t{}"}
"""What still is the same name: with a port, with the dot of the root, and with blanks that HTTP takes away."""


def raw(port: int, lines: list[bytes]) -> tuple[int, bytes]:
    """Sends a request as these lines; its status, 0 where the connection is closed without one."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(b"\r\n".join([*lines, b"Connection: close", b"", b""]))
        data = b""
        while more := connection.recv(65_536):
            data += more
    return (int(data.split()[1]) if data else 0), data


def mixed_case(rng: random.Random, name: str) -> str:
    return "".join(rng.choice((letter.lower(), letter.upper())) for letter in name)


def test_hosts(tmp_path: Path, environment: dict[str, str]) -> None:
    rng = draw("hosts")
    tried = refused = 0
    with served(environment, tmp_path / "data", tmp_path / "log.txt") as server:
        for _ in range(share(6000, 200)):
            own = rng.random() < 0.4
            name, around = mixed_case(rng, rng.choice(OWN if own else FOREIGN)), rng.choice(AROUND)
            host = around.format(name).encode()
            lines = [b"GET /v1/assets HTTP/1.1", b"Host:" + rng.choice((b"", b" ")) + host]
            allowed = own and around in KEPT
            twist = rng.random()
            if twist < 0.1:
                lines.insert(rng.randint(1, 2), b"Host: localhost")
                allowed = False
            elif twist < 0.2:
                lines.append(b"X-Forwarded-Host: localhost")
            elif twist < 0.3:
                lines.append(b"Forwarded: host=localhost")
            elif twist < 0.4:
                lines[0] = b"GET http://localhost/v1/assets HTTP/1.1"
                # A target that names a host stands above the header, which must not be believed then either.
            elif twist < 0.45:
                lines[0] = b"GET /v1/assets HTTP/1.0"
            elif twist < 0.5:
                del lines[1]
                allowed = False
            status, answer = raw(server.port, lines)
            tried += 1
            refused += status != 200
            assert status < 500, (lines, answer)
            assert status == 200 or not allowed or twist < 0.4, (lines, answer)
            assert status != 200 or allowed, (lines, answer)
        for target in (
            b"http://evil.example/v1/assets",
            b"//evil.example/v1/assets",
            b"*",
            b"evil.example:80",
            b"/%2e%2e/%2e%2e/etc/passwd",
        ):
            status, answer = raw(server.port, [b"GET " + target + b" HTTP/1.1", b"Host: evil.example"])
            assert status in (0, 400, 421), (target, answer)
    count("hosts", tried=tried, refused=refused)
    assert "Traceback" not in (tmp_path / "log.txt").read_text()
