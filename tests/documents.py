"""The documents as files, and what is read of them."""

import importlib
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
sys.path.insert(0, str(DOCS / "_extensions"))
public_names = importlib.import_module("public_names")
reference = importlib.import_module("reference")
sys.path.pop(0)

PAGES = sorted(path for path in DOCS.rglob("*.md") if "_build" not in path.parts)
# Tutorials are run by the build of the documentation.
WITH_PYTHON = [p for p in PAGES if "```python\n" in p.read_text(encoding="utf-8")]
DOCUMENTS = [*PAGES, *ROOT.glob("*.md"), *(ROOT / "benchmarks").rglob("*.md")]

# Names of other projects are not looked up; docs/conf.py has the same list.
ELSEWHERE = {"avalanche", "torch", "torchjd", "torchvision", "numpy", "pandas", "matplotlib"}


def name(path):
    return path.relative_to(ROOT).as_posix()


def blocks_of(path, language):
    text = path.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def without_blocks(path):
    text = path.read_text(encoding="utf-8")
    return re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)


def without_code(path):
    """Remove blocks of code and inline code from a text, and keep roles of MyST."""
    code = r"(\{[\w:]+\})?(?<!`)(`+)(?!`)(?:(?!\n\n).)+?(?<!`)\2(?!`)"
    return re.sub(code, lambda m: m[0] if m[1] else "", without_blocks(path), flags=re.DOTALL)


def anchors(path):
    """Return the anchors of headings, as GitHub and MyST make them, and explicit anchors."""
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.M)
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    slugs = {re.sub(r"[^\w\- ]", "", h.lower()).strip().replace(" ", "-") for h in headings}
    return slugs | set(re.findall(r"^\((.*)\)=\n#", text, re.MULTILINE))  # of a heading
