import base64
import re

from tests.experiments.report.page import Page
from tests.experiments.report.records import NASTY


def test_html_holds_everything_itself(written):
    page = Page(written[2])
    assert not page.all("script")
    assert not page.all("link")
    sources = [tag["src"] for tag in page.all("img")]
    assert len(sources) == 11
    for source in sources:
        kind, content = source.split(",", 1)
        assert kind == "data:image/svg+xml;base64"
        picture = base64.b64decode(content).decode()
        assert picture.rstrip().endswith("</svg>")
        assert all(link.startswith("#") for link in re.findall(r'href="([^"]*)"', picture))
    addresses = [a.get("href", "") + a.get("src", "") for _, a in page.tags]
    assert all(address.startswith(("", "#", "data:")) for address in addresses)
    assert not any("//" in address.partition(",")[0] for address in addresses)
    assert "url(" not in written[2].read_text(encoding="utf-8")


def test_html_is_semantic(written):
    page = Page(written[2])
    assert len(page.all("h1")) == 1
    assert page.all("html")[0]["lang"] == "en"
    assert all(tag["scope"] in ("col", "row") for tag in page.all("th"))
    assert all(tag["alt"].strip() for tag in page.all("img"))
    assert len(page.all("figcaption")) == len(page.all("figure")) == len(page.all("img"))
    assert len(page.all("caption")) == len(page.all("table")) == 6
    assert len(page.ids) == len(set(page.ids))
    links = {tag["href"].removeprefix("#") for tag in page.all("a")}
    assert links <= set(page.ids)


def test_users_words_are_escaped_in_html(written):
    text = written[2].read_text(encoding="utf-8")
    page = Page(written[2])
    assert "<b>" not in text
    assert "<script" not in text
    assert any("<script>alert(1)</script> a|b" in data for data in page.text)
    assert any(NASTY in cell for table in page.tables for row in table for cell in row)


def test_tables_in_html(written):
    summary, differences, *_ = Page(written[2]).tables
    assert [row[0] for row in summary[1:]] == [NASTY, "emgd-gmc", "avg"]
    assert summary[0][1:5] == ["A_e", "A_ē", "F_ē", "runs"]
    # mean of 0.412, 0.414, 0.422 and 0.424; t = 3.1824, s = 0.00589
    assert summary[2][2] == "41.8 ± 0.9"
    assert summary[2][3] == "−20.0 ± 0.0"
    assert summary[2][4:] == ["4", "2.0", "5.0", "300"]
    assert [row[0] for row in differences[1:]] == [NASTY, "avg"]
    assert differences[2][1:3] == ["−2.0 [−2.0, −2.0]", "0 %"]
    assert differences[2][4] == "4"


def test_markdown(written):
    directory, path, _ = written
    text = path.read_text(encoding="utf-8")
    for heading in (
        "# Parallel continual learning on ps-digits",
        "## Class-incremental",
        "## Failed runs",
    ):
        assert heading in text.splitlines()
    for picture in re.findall(r"\]\(([^)]*)\)", text):
        assert (directory / picture).is_file()
    assert "22 done, 1 failed" in text
    assert r"| \<b\>mine\</b\> \| \*x\* \& \$y\$" in text
    assert "**−2.0 \\[−2.0, −2.0\\]**" in text


def test_rows_of_markdown_tables_have_as_many_cells_as_their_headings(written):
    width = 0
    for line in written[1].read_text(encoding="utf-8").splitlines():
        cells = len(re.findall(r"(?<!\\)\|", line))
        if not line.startswith("|"):
            width = 0
        elif width == 0:
            width = cells
        else:
            assert cells == width
    assert width  # the last table ends the file
