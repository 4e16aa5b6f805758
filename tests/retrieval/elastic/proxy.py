"""Between a store and a real server: hands requests on, and fails some of them as servers and networks do."""

from __future__ import annotations

import base64
import json
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

Rewrite = Callable[[Any], Any]
_REFUSED = {"error": {"type": "security_exception", "reason": "unable to authenticate user"}, "status": 401}


@dataclass
class Fault:
    """What happens to the next `times` requests whose path holds `path`.

    `status` answers with it and `body`, without asking the server; `drop` closes the connection, after the server has
    done it if `done`; `rewrite` changes the server's answer.
    """

    path: str
    times: int = 1
    status: int | None = None
    body: Any = None
    drop: bool = False
    done: bool = False
    rewrite: Rewrite | None = None


class Proxy:
    """`url` is what a store is given; `asked` are the paths that came, in their order.

    `tls` encrypts what it answers; `login` is a `USER:PASSWORD` without which it answers 401.
    """

    def __init__(self, target: str, tls: ssl.SSLContext | None = None, login: str = "") -> None:
        self.asked: list[str] = []
        self.faults: list[Fault] = []
        self._lock = threading.Lock()
        proxy, client = self, httpx.Client(base_url=target, timeout=60)
        self._client = client

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                wanted = f"Basic {base64.b64encode(login.encode()).decode()}" if login else None
                if wanted is not None and self.headers.get("Authorization") != wanted:
                    self.answer(401, json.dumps(_REFUSED).encode(), {"content-type": "application/json"})
                    return
                fault = proxy.fault(self.path)
                if fault is not None and fault.status is not None:
                    self.answer(fault.status, json.dumps(fault.body).encode(), {"content-type": "application/json"})
                    return
                if fault is not None and fault.drop and not fault.done:
                    self.close_connection = True
                    return
                headers = {k: v for k, v in self.headers.items() if k.lower() in ("accept", "content-type")}
                got = client.request(self.command, self.path, content=body, headers=headers)
                if fault is not None and fault.drop:
                    self.close_connection = True
                    return
                content = got.content
                if fault is not None and fault.rewrite is not None:
                    content = json.dumps(fault.rewrite(got.json())).encode()
                self.answer(got.status_code, content, {"content-type": got.headers.get("content-type", "")})

            def answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
                self.send_response(status)
                for name, value in {**headers, "X-Elastic-Product": "Elasticsearch"}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = handle_any  # noqa: N815

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if tls is not None:
            # The handshake is made where a connection is served: one that fails must not stop the others.
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
            self._server.handle_error = lambda *_: None  # type: ignore[method-assign]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self._server.server_port}"

    def fault(self, path: str) -> Fault | None:
        with self._lock:
            self.asked.append(path)
            for fault in self.faults:
                if fault.path in path and fault.times > 0:
                    fault.times -= 1
                    return fault
        return None

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._client.close()
