"""Stop words: those of queries, of questions and of captions, from `stop_words.toml`."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Final

_LISTS: Final = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))

STOP_WORDS: Final = frozenset(_LISTS["search"].split())
"""Words of a query that carry no meaning, lower case, as all of these."""
UNSPACED_STOP_WORDS: Final = frozenset(_LISTS["unspaced"].split())
"""The same of scripts without blanks, where they stand within a run of characters."""
QUESTION_WORDS: Final = STOP_WORDS | frozenset(_LISTS["question"].split())
"""Words of a question that do not say what it is about."""
CAPTION_WORDS: Final = frozenset(_LISTS["caption"].split())
"""Words of a caption that nobody would search for alone."""
CONNECTIVES: Final = frozenset(_LISTS["connectives"].split())
"""Words that no name ends with."""
