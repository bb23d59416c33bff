"""Pages: everything is escaped, nothing is loaded from elsewhere, tables and figures are whole."""

import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from napari_gluer.trust.pages import Page


class Outline(HTMLParser):
    """Tags that are open, all ids and links, texts of cells."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.cells: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.ids += [given["id"] or ""] if "id" in given else []
        self.links += [value or "" for name, value in attrs if name in {"href", "src"}]
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in {"td", "th"}:
            self.cells.append(data)


def drawn(title: str) -> Figure:
    figure = Figure(figsize=(2, 1))
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1])
    axes.set_title(title)
    return figure


def test_a_page_is_whole_and_stands_alone() -> None:
    page = Page("Report <1>", "About A & B.")
    page.section("What links")
    page.text("x < y")
    page.points(["one", "<script>alert(1)</script>"])
    page.section("Figures")
    page.figure(drawn("first"), "A line", "A rising line")
    page.figure(drawn("other"), "Another", "Also rising")
    page.folded("Parameters", '{"a": "<b>"}')
    text = page.html()
    found = Outline(text)
    assert not found.open
    assert "<script>" not in text
    assert "x &lt; y" in text
    assert "Report &lt;1&gt;" in text
    assert len(found.ids) == len(set(found.ids))
    assert {"#what-links", "#figures"} <= set(found.links)
    assert all(link.startswith("#") for link in found.links)
    assert not re.search(r'(src|href)="(https?:)?//', text)
    assert ">first<" in text  # text stays text
    inside = {link[1:] for link in found.links} | set(re.findall(r"url\(#([^)]+)\)", text))
    assert inside <= set(found.ids)


def test_tables_say_what_is_missing_and_align_numbers() -> None:
    table = pd.DataFrame(
        {
            "share": [0.12345, np.nan],
            "n": [1234, 5],
            "here": [True, False],
            "note": ["a<b", None],
        },
        index=pd.Index(["CD3", "CD8"], name="marker"),
    )
    page = Page("t", "l")
    page.table(table)
    cells = Outline(page.html()).cells
    assert cells == [
        "marker", "share", "n", "here", "note",
        "CD3", "0.123", "1,234", "yes", "a<b",
        "CD8", "–", "5", "no", "–",
    ]  # fmt: skip
    assert '<td class="number">0.123</td>' in page.html()


def test_long_tables_fold() -> None:
    page = Page("t", "l")
    page.table(pd.DataFrame({"n": range(25)}), most=20)
    text = page.html()
    assert "<summary>5 more rows</summary>" in text
    assert text.index("<details>") < text.index('<th scope="row">20</th>')
    assert text.index('<th scope="row">19</th>') < text.index("<details>")


def test_a_page_repeats() -> None:
    once, again = Page("t", "l"), Page("t", "l")
    for page in (once, again):
        page.figure(drawn("same"), "c", "d")
    assert once.html() == again.html()
