"""What the service tells Prometheus."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crossmedia.api.gate import Gate
from crossmedia.api.queues import describe_queue
from crossmedia.api.service import Service

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
"""Any other word a caller invents is counted as one."""
BUCKETS = (0.005, 0.01, 0.015, 0.025, 0.04, 0.1, 0.25, 1.0, 5.0, 30.0)


class Metrics:
    """A registry of its own for each application, so that two in one process do not mix."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "crossmedia_requests",
            "Requests by route and status.",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "crossmedia_request_seconds", "Time to answer by route.", ["route"], registry=self.registry, buckets=BUCKETS
        )

    def observe(self, service: Service, *gates: Gate) -> None:
        self.registry.register(_Gauges(service, gates))

    def render(self) -> bytes:
        return generate_latest(self.registry)


class _Gauges(Collector):
    """Counts that are read when somebody asks: the store keeps them, and nothing is counted for it."""

    def __init__(self, service: Service, gates: Sequence[Gate]) -> None:
        self._service, self._gates = service, gates

    def collect(self) -> Iterable[GaugeMetricFamily]:
        counts = self._service.runtime.store.statistics()
        queue = describe_queue(self._service.runtime.jobs)
        for name, what, numbers in (
            ("assets", "medium", counts.assets),
            ("moments", "kind", counts.moments),
            ("vectors", "field", counts.vectors),
            ("jobs", "state", queue.get("jobs", {})),
        ):
            family = GaugeMetricFamily(f"crossmedia_{name}", f"{name} by {what}.", labels=[what])
            for value, count in numbers.items():
                family.add_metric([value], count)
            yield family
        yield GaugeMetricFamily("crossmedia_queue_up", "Whether the queue answers.", value="problem" not in queue)
        if queue.get("workers") is not None:
            yield GaugeMetricFamily("crossmedia_workers", "Processes that work on jobs.", value=queue["workers"])
        inside = sum(gate.inside for gate in self._gates)
        yield GaugeMetricFamily("crossmedia_searches_inside", "Searches running or waiting.", value=inside)


class Timed:
    """Counts and times every request by the route it took, not by its path: ids would make a series each."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 500

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            method = scope["method"] if scope["method"] in METHODS else "other"
            self._metrics.requests.labels(method, route, str(status)).inc()
            self._metrics.seconds.labels(route).observe(time.perf_counter() - started)
