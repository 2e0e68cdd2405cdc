"""An HTML file as the tests read it."""

from html.parser import HTMLParser


class Page(HTMLParser):
    """What the tests want to know of an HTML file."""

    def __init__(self, path):
        super().__init__()
        self.tags, self.tables, self.ids, self.text = [], [], [], []
        self.in_cell = False
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.ids += [dict(attributes)["id"]] if "id" in dict(attributes) else []
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")
            self.in_cell = True

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self.in_cell = False

    def handle_data(self, data):
        self.text.append(data)
        if self.in_cell:
            self.tables[-1][-1][-1] += data

    def all(self, name):
        return [attributes for tag, attributes in self.tags if tag == name]
