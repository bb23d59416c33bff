"""One self-contained HTML page: text, tables and figures, nothing loaded from elsewhere."""

import io
import re
from collections.abc import Sequence
from html import escape

import pandas as pd
from matplotlib import rc_context
from matplotlib.figure import Figure

_STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; color: #1b1f24;
  background: #fff; max-width: 60rem; margin: 0 auto; padding: 1.5rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .3rem; }
h2 { font-size: 1.25rem; margin: 2.2rem 0 .5rem; padding-top: .6rem;
  border-top: 1px solid #d0d7de; }
p, ul { max-width: 46rem; }
p.lead { font-size: 1.1rem; }
p.warning { background: #fff4e5; border-left: 4px solid #b35900; padding: .5rem .8rem; }
nav ul { list-style: none; padding: 0; columns: 2; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; margin: .5rem 0 1rem; }
th, td { padding: .25rem .7rem; text-align: left; border-bottom: 1px solid #e4e8ec;
  vertical-align: top; }
tbody th { white-space: nowrap; }
thead th { border-bottom: 2px solid #8c959f; white-space: nowrap; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
figure { margin: 1rem 0; }
figure svg { max-width: 100%; height: auto; }
figcaption { font-size: .9rem; color: #57606a; max-width: 46rem; }
details { margin: .5rem 0; }
summary { cursor: pointer; }
pre { background: #f6f8fa; padding: .8rem; overflow-x: auto; font-size: .85rem; }
@media print { nav { display: none; } details > * { display: block; } h2 { break-after: avoid; } }
"""


class Page:
    """A page that is written from top to bottom.

    Parameters
    ----------
    title
        Of the page.
    lead
        What it is about, one sentence.
    """

    def __init__(self, title: str, lead: str) -> None:
        self._title, self._lead = title, lead
        self._sections: list[tuple[str, str]] = []
        self._parts: list[str] = []
        self._n_figures = 0

    def section(self, heading: str) -> None:
        """Begin a section; the list of contents names it."""
        anchor = re.sub(r"[^a-z0-9]+", "-", heading.casefold()).strip("-")
        self._sections.append((anchor, heading))
        self._parts.append(f'<h2 id="{anchor}">{escape(heading)}</h2>')

    def text(self, words: str) -> None:
        """A paragraph."""
        self._parts.append(f"<p>{escape(words)}</p>")

    def warning(self, words: str) -> None:
        """A paragraph that must not be missed."""
        self._parts.append(f'<p class="warning">{escape(words)}</p>')

    def points(self, words: Sequence[str]) -> None:
        """A list."""
        items = "".join(f"<li>{escape(one)}</li>" for one in words)
        self._parts.append(f"<ul>{items}</ul>")

    def table(self, table: pd.DataFrame, *, most: int = 0) -> None:
        """Columns as they are, the index first; of more than `most` rows (0: all) the rest folded.

        Numbers with a fraction are written with three digits; what is missing as a dash.
        """
        if not most or len(table) <= most:
            self._parts.append(_table(table))
            return
        self._parts.append(_table(table.iloc[:most]))
        rest = _table(table.iloc[most:])
        summary = f"<summary>{len(table) - most:,} more rows</summary>"
        self._parts.append(f"<details>{summary}{rest}</details>")

    def figure(self, figure: Figure, caption: str, description: str) -> None:
        """A figure as SVG, text kept as text; `description` is for those who cannot see it."""
        self._n_figures += 1
        svg = _svg(figure, f"f{self._n_figures}").replace(
            "<svg ", f'<svg role="img" aria-label="{escape(description)}" ', 1
        )
        self._parts.append(f"<figure>{svg}<figcaption>{escape(caption)}</figcaption></figure>")

    def folded(self, summary: str, words: str) -> None:
        """Preformatted text behind a click."""
        inner = f"<summary>{escape(summary)}</summary><pre>{escape(words)}</pre>"
        self._parts.append(f"<details>{inner}</details>")

    def html(self) -> str:
        """The whole page."""
        links = "".join(f'<li><a href="#{a}">{escape(h)}</a></li>' for a, h in self._sections)
        head = (
            f'<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
            f"<title>{escape(self._title)}</title><style>{_STYLE}</style>"
        )
        body = (
            f'<h1>{escape(self._title)}</h1><p class="lead">{escape(self._lead)}</p>'
            f'<nav aria-label="Contents"><ul>{links}</ul></nav><main>{"".join(self._parts)}</main>'
        )
        return f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head>\n<body>{body}</body></html>\n'


def _table(table: pd.DataFrame) -> str:
    names = [str(table.index.name or ""), *map(str, table.columns)]
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in names)
    rows = []
    for label, row in zip(table.index, table.itertuples(index=False), strict=True):
        cells = "".join(_cell(value) for value in row)
        rows.append(f'<tr><th scope="row">{escape(str(label))}</th>{cells}</tr>')
    inner = f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody>"
    return f'<div class="scroll"><table>{inner}</table></div>'


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return f"<td>{'yes' if value else 'no'}</td>"
    if pd.api.types.is_scalar(value) and pd.isna(value):  # type: ignore[call-overload]
        return "<td>–</td>"
    if pd.api.types.is_integer(value):
        return f'<td class="number">{value:,}</td>'
    if pd.api.types.is_float(value):
        return f'<td class="number">{value:.3f}</td>'
    return f"<td>{escape(str(value))}</td>"


def _svg(figure: Figure, prefix: str) -> str:
    """Text of the figure's ``<svg>``; figures on one page must not share ids."""
    held = io.StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "napari-gluer"}):
        figure.savefig(held, format="svg", metadata={"Date": None})
    text = held.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r'id="([^"]+)"', rf'id="{prefix}-\1"', text)
    return re.sub(r'(url\(#|href="#)', rf"\g<1>{prefix}-", text)
