"""Names of uploaded files in each way in which programs send them."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.helpers import finished, png


def post(http: TestClient, disposition: str, path: str = "/v1/assets") -> Any:
    head = f'--b\r\nContent-Disposition: form-data; name="file"; {disposition}\r\n\r\n'
    body = head.encode() + png("red") + b"\r\n--b--\r\n"
    return http.post(path, content=body, headers={"Content-Type": "multipart/form-data; boundary=b"})


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ("filename*=UTF-8''na%C3%AFve%20a.png", "naïve a.png"),
        ("filename*=utf-8'en'a%22b.png", 'a"b.png'),
        ("filename*=ISO-8859-1''na%EFve.png", "naïve.png"),
        ("filename=\"a.png\"; filename*=UTF-8''b.png", "a.png"),
        ('filename="naïve.png"', "naïve.png"),
    ],
)
def test_names(http: TestClient, disposition: str, name: str) -> None:
    assert list(finished(http, post(http, disposition))["report"]["assets"]) == [name]


@pytest.mark.parametrize("name", ["..%2Fevil.png", "a%00.png", "a%0D%0Ab.png", "%1B%5B2J.png", ""])
def test_what_is_no_name(http: TestClient, name: str) -> None:
    refused = post(http, f"filename*=UTF-8''{name}")
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "bad_name")


def test_a_file_to_search_with(http: TestClient) -> None:
    assert post(http, "filename*=UTF-8''a.png", "/v1/search").status_code == 200


def test_what_is_no_form(http: TestClient) -> None:
    for path in ("/v1/assets", "/v1/search", "/v1/ask", "/v1/lookup"):
        wrong = http.post(path, content=b"x", headers={"Content-Type": "multipart/form-data"})
        assert (wrong.status_code, wrong.json()["error"]["code"]) == (400, "http_error"), path
