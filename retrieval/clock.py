"""Times as people read them."""

from __future__ import annotations


def clock(seconds: float) -> str:
    """Seconds as m:ss or h:mm:ss.

    >>> clock(75.2), clock(3605)
    ('1:15', '1:00:05')
    """
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def clock_span(start: float | None, end: float | None) -> str:
    """From when to when; only the start where nothing ends, nothing where nothing lasts.

    >>> clock_span(75.2, 90.0), clock_span(75.2, None), clock_span(None, None)
    ('1:15–1:30', '1:15', '')
    """
    if start is None:
        return ""
    return clock(start) if end is None else f"{clock(start)}–{clock(end)}"
