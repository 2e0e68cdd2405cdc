"""The documentation, built and opened in a browser.

It takes minutes, so it is marked slow: ``make docs`` installs what it needs, and
``.venv/bin/python -m pytest -m slow tests/test_site.py`` runs it.
"""

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.browser import BROWSER, browse

ROOT = Path(__file__).resolve().parents[1]
NEEDED = ("sphinx", "furo", "myst_nb", "sphinx_copybutton", "latex2mathml")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not all(map(find_spec, NEEDED)), reason="needs the extra docs; `make docs` installs it"
    ),
]
with_browser = pytest.mark.skipif(BROWSER is None, reason="needs Chromium or Chrome on the PATH")

# Reports, in the title of the page, what has become of each picture and of the style.
PROBE = """<script>addEventListener("load", () => { document.title = "pictures " +
[...document.images].map(image => image.complete ? image.naturalWidth : 0).join(" ") +
" formulas " + document.querySelectorAll("math").length +
" style " + getComputedStyle(document.querySelector(".sidebar-drawer")).display +
" page " + document.documentElement.scrollWidth; });</script>"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    # A proxy that does not exist blocks all requests.
    offline = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), "http://127.0.0.1:9")
    command = ("sphinx", "-W", "--keep-going", "-q", "-b", "html", "-d", folder / "doctrees")
    done = subprocess.run(
        [sys.executable, "-m", *map(str, command), str(ROOT / "docs"), str(folder / "html")],
        env={**os.environ, **offline},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-5000:]
    return folder / "html"


def probed(page, profile):
    copy = page.with_name(f"probed-{page.name}")
    copy.write_text(page.read_text(encoding="utf-8") + PROBE, encoding="utf-8")
    content = browse(copy, profile, "--window-size=1280,900", "--dump-dom")
    title = re.search(
        r"<title>pictures (.*) formulas (\d+) style (\w+) page (\d+)</title>", content
    )
    assert title is not None
    widths, formulas, style, width = title.groups()
    return content, [int(each) for each in widths.split()], int(formulas), style, int(width)


@with_browser
def test_index_leads_to_all_sections(site, tmp_path):
    content, pictures, _, style, width = probed(site / "index.html", tmp_path / "profile")
    assert min(pictures) > 100
    assert style == "flex"  # of the theme's style sheet
    assert width <= 1280
    for caption in ("Start", "Concepts", "How to", "Results", "API reference"):
        assert f'class="caption-text">{caption}<' in content
    links = set(re.findall(r'href="([^":#]+\.html)', content))
    assert len(links) > 30
    assert all((site / link).is_file() for link in links)


@with_browser
def test_formulas_and_figures_are_drawn_without_network(site, tmp_path):
    page = site / "concepts" / "emgd.html"
    content, pictures, formulas, _, width = probed(page, tmp_path / "profile")
    assert len(pictures) == 3
    assert min(pictures) > 100
    assert formulas > 20
    assert "<munder>" in content
    assert width <= 1280


def test_notebooks_have_outputs(site):
    outputs = {
        "first_streams": "<img",
        "moving_a_script": "Top1_Acc",
        "comparison": "<td>",
    }
    for name, word in outputs.items():
        text = (site / "tutorials" / f"{name}.html").read_text(encoding="utf-8")
        printed = text.split('class="cell_output')[1:]
        assert any(word in output for output in printed)
        assert "output stderr" not in text
