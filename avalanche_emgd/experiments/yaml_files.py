"""YAML files whose content is not larger than the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from .._text_files import excerpt, most_digits, read_text

__all__ = ["MOST_BYTES", "parse_yaml", "read_config"]

MOST_BYTES = 2**20
"""Size of the largest YAML file that is read."""

_MOST_DEPTH = 50
# Largest ratio of a document with all aliases expanded to its text.
_MOST_TIMES = 10
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_config(path: str | Path) -> Any:
    """Read the content of a YAML file that the argument ``config`` names.

    :param path: path of the file.
    :raises ValueError: if the file cannot be read, or is not YAML.
    """
    text = read_text(path, "config", most=MOST_BYTES)
    try:
        return parse_yaml(text)
    except ValueError as error:
        words = " ".join(str(error).split())
        raise ValueError(f"`config` {str(path)!r} is not a YAML file: {words}.") from None


def parse_yaml(text: str) -> Any:
    """Parse a document of plain values.

    :raises ValueError: if the text is not YAML, nested too deeply, much larger with all aliases
        expanded, or has a key twice; the message names the line.
    """
    try:
        _check_depth(text)
        node = yaml.compose(text, Loader=_LOADER)
        if node is None:
            return None
        _check_size(node, _MOST_TIMES * (len(text) + 1000))
        return yaml.load(text, Loader=_LOADER)
    except yaml.YAMLError as error:
        words = excerpt(" ".join(str(error).split()), 500)
        raise ValueError(f"not YAML: {words[1:-1]}") from None
    except (RecursionError, OverflowError) as error:
        raise ValueError(f"not plain values: {error}") from None


def _check_depth(text: str) -> None:
    """Check the events of the parser, which come one by one, before any recursion."""
    depth = 0
    digits = most_digits()
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif (
            isinstance(event, yaml.ScalarEvent)
            and len(event.value) > digits
            and event.value[0] in "+-.0123456789"
            and event.implicit[0]
        ):
            raise ValueError(f"line {event.start_mark.line + 1}: a number has too many digits")
        if depth > _MOST_DEPTH:
            raise ValueError(f"line {event.start_mark.line + 1}: nested too deeply")


def _check_size(root: yaml.Node, most: int) -> None:
    """Count letters and values with all aliases expanded."""
    sizes: dict[int, int] = {}
    open_nodes: set[int] = set()
    waiting = [(root, False)]
    while waiting:
        node, done = waiting.pop()
        if id(node) in sizes:
            continue
        children = _children(node)
        _check_keys(node)
        if done:
            open_nodes.discard(id(node))
            own = len(node.value) if isinstance(node, yaml.ScalarNode) else 0
            sizes[id(node)] = 1 + own + sum(sizes[id(child)] for child in children)
            if sizes[id(node)] > most:
                line = node.start_mark.line + 1
                raise ValueError(f"line {line}: much larger than the file with aliases in full")
            continue
        open_nodes.add(id(node))
        waiting.append((node, True))
        for child in children:
            if id(child) in open_nodes:
                raise ValueError(f"line {node.start_mark.line + 1}: a value that contains itself")
            waiting.append((child, False))


def _check_keys(node: yaml.Node) -> None:
    """Check that a mapping has each key once: the parser keeps the last value without a word."""
    if not isinstance(node, yaml.MappingNode):
        return
    seen: set[tuple[str, str]] = set()
    for key, _ in node.value:
        if isinstance(key, yaml.ScalarNode):
            if (key.tag, key.value) in seen:
                line = key.start_mark.line + 1
                raise ValueError(f"line {line}: the key {excerpt(key.value)} is there twice")
            seen.add((key.tag, key.value))


def _children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []
