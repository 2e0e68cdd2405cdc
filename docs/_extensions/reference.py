"""Reference pages, made from the public names, and the check that each of them is documented.

The pages are written to ``docs/reference`` before each build and are not part of the repository.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from public_names import ROOT, PublicName, public_names, public_paths, undocumented

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.addnodes import pending_xref
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

__all__ = ["command_pages", "reference_pages", "setup"]

COMMANDS = ("train", "compare", "sweep", "predict", "report", "methods", "timeline", "demo")


def reference_pages() -> dict[str, str]:
    """Text of the page of each public package, in reStructuredText, by the package's name."""
    return {package: _page(package, names) for package, names in public_names().items()}


def command_pages() -> dict[str, str]:
    """Text of the page of the command line: the help of each command, as it is printed."""
    title = "Command line"
    lines = [title, "=" * len(title), "", "Each command prints its options with ``--help``.", ""]
    for command in COMMANDS:
        call = f"avalanche-emgd {command}"
        lines += [call, "-" * len(call), "", ".. code-block:: text", ""]
        lines += [f"   {line}".rstrip() for line in _help(command).splitlines()]
        lines.append("")
    return {"command_line": "\n".join(lines)}


def _help(command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", ROOT, command, "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "COLUMNS": "88", "TERM": "dumb", "NO_COLOR": "1"},
    )
    return done.stdout.replace(f"python -m {ROOT}", "avalanche-emgd").strip()


def _page(package: str, names: list[PublicName]) -> str:
    lines = [package, "=" * len(package), "", f".. automodule:: {package}", ""]
    lines += [f".. currentmodule:: {package}", "", ".. list-table::", "   :widths: auto", ""]
    for each in names:
        lines += [f"   * - :py:obj:`~{each.path}`", f"     - {each.summary}"]
    lines.append("")
    for each in names:
        if each.package == package:
            lines += _entry(each)
    return "\n".join(lines)


def _entry(each: PublicName) -> list[str]:
    if each.kind == "data":
        return _data(each)
    lines = [f".. auto{each.kind}:: {each.path}"]
    if each.kind == "class":
        lines.append("   :members:")
        if each.value.__bases__ != (object,):
            lines.append("   :show-inheritance:")
        lines += ["", *_members_of_internal_bases(each)]
    return [*lines, ""]


def _data(each: PublicName) -> list[str]:
    # Autodoc finds the docstring of data only where they are defined.
    lines = [f".. py:data:: {each.name}"]
    if each.module != each.package:
        lines.append(f"   :canonical: {each.module}.{each.name}")
    shown = re.sub(r"typing\.|avalanche_emgd\.[\w.]+\.", "", repr(each.value))
    if len(shown) < 200 and " at 0x" not in shown:
        lines.append(f"   :value: {shown}")
    return [*lines, "", *(f"   {line}".rstrip() for line in each.doc.splitlines()), ""]


def _members_of_internal_bases(each: PublicName) -> list[str]:
    bases = each.value.__mro__[1:]
    elsewhere = {above for base in bases if _is_shown(base) for above in base.__mro__}
    found = {}
    for base in bases:
        if base not in elsewhere:
            found.update({name: value for name, value in vars(base).items() if name not in found})
    lines = []
    for name, value in found.items():
        kind = "property" if isinstance(value, property) else "method"
        is_documented = callable(value) or kind == "property"
        if is_documented and value.__doc__ and name[0] != "_" and name not in vars(each.value):
            lines += [f"   .. auto{kind}:: {each.path}.{name}", ""]
    return lines


@cache
def _is_shown(base: Any) -> bool:
    """Whether a base is of another project, or public."""
    is_public = any(each.value is base for names in public_names().values() for each in names)
    return is_public or not getattr(base, "__module__", "").startswith(ROOT)


def _write_pages(app: Sphinx) -> None:
    folder = Path(app.srcdir) / "reference"
    folder.mkdir(exist_ok=True)
    pages = {**reference_pages(), **command_pages()}
    for path in folder.glob("*.rst"):
        if path.stem not in pages:
            path.unlink()
    for name, text in pages.items():
        path = folder / f"{name}.rst"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def _keep_public_bases(app: Sphinx, name: str, value: type, options: Any, bases: list[Any]) -> None:
    """Show the nearest public bases in the place of internal ones."""

    def shown(base: Any) -> list[Any]:
        if _is_shown(getattr(base, "__origin__", base)):
            return [base]
        return [found for each in base.__bases__ for found in shown(each)]

    bases[:] = dict.fromkeys(found for base in bases for found in shown(base))


def _resolve(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, content: nodes.TextElement
) -> nodes.Element | None:
    """Find public names by every path that they have, and by the bare name."""
    from sphinx.util.nodes import make_refnode

    if node.get("refdomain") != "py":
        return None
    objects = env.get_domain("py").objects  # type: ignore[attr-defined]
    for path in public_paths(node["reftarget"], node.get("py:module"), node.get("py:class")):
        if path in objects:
            found, here = objects[path], node.get("refdoc", env.docname)
            return make_refnode(app.builder, here, found.docname, found.node_id, content, path)
    # An annotation may name an internal type; a text may not refer to one.
    target, is_annotation = node["reftarget"], "refexplicit" not in node
    return content if is_annotation and (target.startswith(ROOT) or "." not in target) else None


def _check(app: Sphinx, env: BuildEnvironment) -> None:
    from sphinx.util import logging

    documented = env.get_domain("py").objects  # type: ignore[attr-defined]
    expected = {each.path for names in public_names().values() for each in names}
    for path in sorted((expected - documented.keys()) | set(undocumented())):
        logging.getLogger(__name__).warning("public name without documentation: %s", path)


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect the pages and the check to the build."""
    app.connect("builder-inited", _write_pages)
    app.connect("autodoc-process-bases", _keep_public_bases)
    app.connect("missing-reference", _resolve)
    app.connect("env-check-consistency", _check)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
