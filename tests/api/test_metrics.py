"""What a scrape costs."""

from __future__ import annotations

from pathlib import Path

from crossmedia.api.metrics import Metrics
from crossmedia.api.service import Service
from crossmedia.retrieval.local import LocalStore
from tests.api.helpers import settings
from tests.retrieval.makers import SPACES, document, unit


def test_a_scrape_takes_no_more_steps_where_there_is_more(tmp_path: Path) -> None:
    service = Service(settings(tmp_path))
    store = service.runtime.store
    assert isinstance(store, LocalStore)
    store.bind(SPACES)
    metrics = Metrics()
    metrics.observe(service)
    connection = store._database.connection()

    def steps() -> int:
        """Instructions that SQLite runs for one scrape of the store."""
        count = 0

        def step() -> int:
            nonlocal count
            count += 1
            return 0

        connection.set_progress_handler(step, 1)
        text = metrics.render().decode()
        connection.set_progress_handler(None, 0)
        assert f'crossmedia_assets{{medium="image"}} {held}.0' in text
        assert f'crossmedia_vectors{{field="common/picture"}} {held}.0' in text
        return count

    store.put([document(f"p{n}", vector=unit(n)) for n in range(5)])
    held = 5
    few = steps()
    store.put([document(f"p{n}", vector=unit(n)) for n in range(300)])
    held = 300
    assert few == steps() > 0
    service.close()
