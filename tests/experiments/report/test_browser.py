"""The report in a real browser, without network."""

import re

import numpy as np
import pytest
from matplotlib.image import imread

from avalanche_emgd.experiments.report import write_report
from tests.browser import BROWSER, browse
from tests.experiments.report.records import done, failed, save

pytestmark = pytest.mark.skipif(BROWSER is None, reason="needs Chromium or Chrome on the PATH")

# Reports, in the title of the page, what has become of each picture.
PROBE = """<script>addEventListener("load", () => { document.title = "pictures " +
[...document.images].map(image => image.complete ? image.naturalWidth : 0).join(" ") +
" page " + document.documentElement.scrollWidth; });</script>"""


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    records = [
        done(method, a + 0.01 * seed, seed=seed, scenario=scenario)
        for method, a in (("emgd-gmc", 0.5), ("avg", 0.4), ("<i>x</i>" + "long " * 9, 0.3))
        for seed in (0, 1, 2)
        for scenario in ("class", "task")
    ]
    directory = save(tmp_path_factory.mktemp("study"), [*records, failed(seed=9)])
    return write_report(directory)[1]


def test_browser_shows_tables_and_pictures(report, tmp_path):
    # Narrow as a phone: what is wide scrolls by itself, and not the page.
    probed = tmp_path / "probed.html"
    probed.write_text(report.read_text(encoding="utf-8") + PROBE, encoding="utf-8")
    content = browse(probed, tmp_path / "profile", "--window-size=500,900", "--dump-dom")
    assert content.count("<table>") == 6
    assert content.count('scope="row"') == 3 + 2 + 3 + 2 + 3 + 1
    assert "&lt;i&gt;x" in content
    title = re.search(r"<title>pictures (.*) page (\d+)</title>", content)
    assert title is not None
    widths = [int(width) for width in title.group(1).split()]
    assert len(widths) == 11
    assert min(widths) > 100
    assert int(title.group(2)) <= 500


def test_screenshot_is_not_blank(report, tmp_path):
    picture = tmp_path / "page.png"
    browse(report, tmp_path / "profile", "--window-size=1280,1600", f"--screenshot={picture}")
    pixels = imread(picture)[..., :3]
    assert pixels.shape[:2] == (1600, 1280)
    assert len(np.unique((pixels * 255).round().reshape(-1, 3), axis=0)) > 50
    for half in np.split(pixels, 2):
        assert half.std() > 0.02
