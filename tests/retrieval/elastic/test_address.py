from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.retrieval.elastic.address import Access, Address, BadAddress, is_elastic, parse_address


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("elasticsearch://localhost", Address(("http://localhost:9200",))),
        ("elasticsearch://10.0.0.1:9201/media", Address(("http://10.0.0.1:9201",), "media")),
        ("elasticsearch+https://a:1,b/x", Address(("https://a:1", "https://b:9200"), "x")),
        ("elasticsearch://[::1]:9200", Address(("http://[::1]:9200",))),
        (
            "elasticsearch://h/?shards=3&replicas=0&analyzer=german&vectors=flat&patience=2.5",
            Address(("http://h:9200",), "crossmedia", 3, 0, "german", "flat", 2.5),
        ),
    ],
)
def test_addresses(url: str, expected: Address) -> None:
    assert is_elastic(url)
    assert parse_address(url, Access())[0] == expected


@pytest.mark.parametrize(
    "url",
    [
        "http://h",
        "elasticsearch://",
        "elasticsearch://h:port",
        "elasticsearch://h/UPPER",
        "elasticsearch://h/a/b",
        "elasticsearch://h?shards=0",
        "elasticsearch://h?shards=many",
        "elasticsearch://h?analyzer=klingon",
        "elasticsearch://h?vectors=",
        "elasticsearch://h?other=1",
        "elasticsearch://h,/x",
        "elasticsearch://h h",
    ],
)
def test_what_names_no_store_is_refused(url: str) -> None:
    with pytest.raises(BadAddress):
        parse_address(url, Access())


def test_a_password_is_taken_out_and_never_shown() -> None:
    address, access = parse_address("elasticsearch://ann:p%40ss@h:9200/x", Access(api_key="key"))
    assert (access.user, access.password) == ("ann", "p@ss")
    assert "p@ss" not in str(address) + repr(address)
    assert "p%40ss" not in str(address) + repr(address)
    assert "p@ss" not in repr(access)
    assert "key'" not in repr(access)
    with pytest.raises(BadAddress) as failure:
        parse_address("elasticsearch://ann:secret@h:9200/UPPER", Access())
    assert "secret" not in failure.value.message + failure.value.hint


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    for url in (text, "elasticsearch://" + text):
        try:
            address, _ = parse_address(url, Access())
        except CrossmediaError:
            continue
        assert all(host.startswith("http") for host in address.hosts)
