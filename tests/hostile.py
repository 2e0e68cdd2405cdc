"""Texts that would take much memory or time."""

import time
import tracemalloc

import pytest

SECONDS = 10.0  # of the processor: text that hangs takes minutes


def laughs(levels, width=9):
    """Make YAML in which every level is nine times as large as the level before."""
    lines = ["a0: &a0 [lol, lol, lol]"]
    lines += [f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * width)}]" for k in range(1, levels)]
    return "\n".join(lines)


def refused(path, load, text, match):
    """Check that a text is refused quickly, in little memory, with a line that names its file."""
    path.write_text(text)
    tracemalloc.start()
    started = time.process_time()
    with pytest.raises(ValueError, match=match) as caught:
        load(path)
    elapsed, peak = time.process_time() - started, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    message = str(caught.value)
    assert path.name in message
    assert "\n" not in message
    assert len(message) < 1000
    message.encode()  # it can be printed
    assert elapsed < SECONDS
    assert peak < 2**20 + 100 * path.stat().st_size
    return message


DEEP = 100_000
