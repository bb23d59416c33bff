"""The code of the pages, in order, with what was said about running it."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(
    r"^(?:<!-- not run: (?P<reason>[^\n]+?) -->\n)?```(?P<language>python|bash)\n(?P<code>.*?)^```",
    re.MULTILINE | re.DOTALL,
)
_WHOLE_PAGE = re.compile(r"^<!-- commands not run: (?P<reason>[^\n]+?) -->$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """One block of code.

    Attributes
    ----------
    language
        ``python`` or ``bash``.
    code
        As it stands on the page.
    reason
        Why it is not run; empty where it is.
    line
        Of the page, from 1, on which the code starts.
    """

    language: str
    code: str
    reason: str
    line: int


def blocks(page: Path) -> list[Block]:
    """The blocks of a page; a reason for all commands of a page stands anywhere on it."""
    text = page.read_text(encoding="utf-8")
    whole = _WHOLE_PAGE.search(text)
    found = []
    for match in _BLOCK.finditer(text):
        reason = match["reason"] or ""
        if match["language"] == "bash" and whole and not reason:
            reason = whole["reason"]
        line = text.count("\n", 0, match.start("code")) + 1
        found.append(Block(match["language"], match["code"], reason, line))
    return found


def commands(block: Block) -> list[list[str]]:
    """The words of every line of a bash block, without comments."""
    lines = block.code.replace("\\\n", " ").splitlines()
    return [words for line in lines if (words := shlex.split(line, comments=True))]
