"""Texts that are made to be slow take the time of their length, and pages read without a tree say what a tree says."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossmedia.eval.bench.texts import KINDS, write_text
from crossmedia.indexer.decode.html import read_page
from crossmedia.indexer.decode.markup import Tag, Text, tokens
from crossmedia.indexer.decode.reader import decode
from crossmedia.indexer.segment import passages


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_eight_times_the_text_takes_no_more_than_its_share(tmp_path: Path, kind: str) -> None:
    def spent(size: int) -> float:
        path = write_text(tmp_path, kind, size)
        start = time.process_time()
        passages(decode(path).content)  # type: ignore[arg-type]
        return time.process_time() - start

    spent(10_000)
    # Twice as long is four times as slow where something is looked up among all before it: 64 times, not 8.
    assert spent(800_000) < 32 * spent(100_000) + 1.0


WORDS = st.text("abc", min_size=1, max_size=3)
BLOCKS = st.sampled_from(["div", "section", "blockquote", "article", "ul"])
TREES = st.recursive(
    WORDS,
    lambda inner: st.tuples(st.one_of(BLOCKS, st.sampled_from(["b", "i", "hidden"])), st.lists(inner, max_size=4)),
    max_leaves=20,
)
Tree = str | tuple[str, list["Tree"]]


def written(tree: Tree) -> str:
    if isinstance(tree, str):
        return tree
    name, inner = tree
    body = "".join(map(written, inner))
    return f"<div title='>' hidden>{body}</div>" if name == "hidden" else f"<{name} class=hidden>{body}</{name}>"


def spoken(tree: Tree) -> str:
    """The words with a line feed at each border of a block."""
    if isinstance(tree, str):
        return tree
    name, inner = tree
    body = "".join(map(spoken, inner))
    return "\n" if name == "hidden" else body if name in ("b", "i") else f"\n{body}\n"


@given(st.lists(TREES, max_size=6))
def test_what_is_nested_rightly_is_read_as_its_tree_says(trees: list[Tree]) -> None:
    _, paragraphs = read_page("".join(map(written, trees)))
    assert paragraphs == [line for line in "".join(map(spoken, trees)).split("\n") if line]


@given(st.text("<>/!?-='\" abp\n&;"))
def test_every_character_belongs_to_one_token(markup: str) -> None:
    found = list(tokens(markup))
    assert all(isinstance(token, Tag) or token.characters for token in found)
    assert sum(len(token.characters) for token in found if isinstance(token, Text)) <= len(markup)


@pytest.mark.parametrize(
    ("page", "paragraphs"),
    [
        ("a<p hidden>b<p>c", ["a", "c"]),
        ("<ul><li>a<li hidden>b<ul><li>c</ul>d<li>e</ul>", ["a", "e"]),
        ("<div>a<span hidden>b</div>c", ["a", "c"]),
        ("<table><tr><td>a<td hidden>b<td>c<tr><td>d</table>", ["a c", "d"]),
        ("a<svg><title>b</title><g>c</g></svg>d<svg/>e", ["ade"]),
        ("a<select><option>b<option>c</select>d<select>e<input>f", ["adf"]),
        ("a<template><div>b</div></template>c<noscript>d</noscript>", ["ac"]),
        ("a<script>'</b>' <p>b</script>c<style>p{}</style><iframe>d</iframe>", ["ac"]),
        ("a<textarea>b <p> &lt;c</textarea>", ["ab <p> <c"]),
        ("a<!--b--><!-->c<!-- d ><!doctype x>--!>e<?f?></ >g", ["aceg"]),
        ("1 < 2 && 3 <4>5 <p x='", ["1 < 2 && 3 <4>5"]),
        ("a<input hidden>b<p data-hidden=x aria-hidden='hidden'>c", ["ab", "c"]),
        ("a<plaintext>b<p>c", ["ab<p>c"]),
        ("a<!--b", ["a"]),
        ("a<script>b", ["a"]),
    ],
)
def test_what_is_not_nested_rightly_is_read_as_browsers_do(page: str, paragraphs: list[str]) -> None:
    assert read_page(page)[1] == paragraphs


def test_a_page_is_called_by_its_title_or_its_first_heading() -> None:
    assert read_page("<svg><title>a</title></svg><title>b &amp;\nc</title><title>d</title><h1>e</h1>")[0] == "b & c"
    assert read_page("<h4>a</h4><h2>b <i>c</i></h2><h1>d</h1>")[0] == "b c"
    assert read_page("<h1>a")[0] == "a"
    assert read_page("a")[0] is None
