"""What the program says of itself: help, progress, exit status."""

import os
import pty
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

import napari_gluer as ng
from napari_gluer import cli
from napari_gluer.cli import application
from napari_gluer.cli.application import app, report
from napari_gluer.cli.examples import EXAMPLES
from napari_gluer.cli.faults import commands_of
from napari_gluer.cli.helping import COMMANDS
from napari_gluer.errors import InputError


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr(app, "console", Console(width=100))  # which keeps the width it began with


def help_of(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert cli.main([*words]) == 0
    return capsys.readouterr().out


def test_every_command_stands_in_one_section() -> None:
    listed = [name for names in COMMANDS.values() for name in names]
    assert sorted(listed) == sorted(commands_of(app))


def test_the_list_of_commands_follows_the_work(capsys: pytest.CaptureFixture[str]) -> None:
    said = help_of(capsys, "--help")
    order = ["run", "segment", "measure", "clean", "integrate", "impute", "validate"]
    places = [re.search(rf"│ {name} ", said) for name in order]
    starts = [place.start() for place in places if place is not None]
    assert len(starts) == len(order)
    assert starts == sorted(starts)


@pytest.mark.parametrize("command", commands_of(app))
def test_help_of_every_command_can_be_read(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    said = help_of(capsys, command, "--help")
    assert f"Usage: napari-gluer {command}" in said
    assert len(said.splitlines()) <= 115, "too long to read; fold it (cli/helping.py)"
    assert "[default: ()]" not in said
    assert "``" not in said
    assert "Exit status: 0 done" in said
    assert "--config FILE" in said
    rows = [line for line in said.splitlines() if re.match(r"│ \*? +(--)?[A-Za-z]", line)]
    bare = [row for row in rows if re.fullmatch(r"│ \*? *--[a-z-]+( [A-Z]+)? +│", row)]
    assert not bare, "flags without a word about them"


def test_long_lists_are_folded_and_help_all_unfolds_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    short, long = (help_of(capsys, "run", flag) for flag in ("--help", "--help-all"))
    assert "--integrate.network.…" in short
    assert "9 settings, shown by --help-all" in " ".join(short.replace("│", " ").split())
    assert "--integrate.network.patience" not in short
    assert "--integrate.network.patience" in long
    assert "settings, shown by --help-all" not in long
    assert len(long.splitlines()) > 2 * len(short.splitlines())


def test_help_says_which_method_a_flag_belongs_to(capsys: pytest.CaptureFixture[str]) -> None:
    said = " ".join(help_of(capsys, "segment", "--help").split())
    assert "--method.threshold FLOAT [watershed]" in said
    assert "--method.model STR [cellpose, instanseg]" in said
    assert "[default: watershed]" in said


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (None, 0, ""),
        (InputError("No such channel."), 2, "napari-gluer: No such channel.\n"),
        (FileNotFoundError(2, "No such file or directory", "x.tif"), 2, "x.tif"),
        (KeyboardInterrupt(), 130, "napari-gluer: interrupted\n"),
    ],
)
def test_exit_status(
    error: BaseException | None,
    status: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def called(_: application.Asked) -> int:
        if error is not None:
            raise error
        return 0

    monkeypatch.setattr(application, "_called", called)
    assert cli.main([]) == status
    err = capsys.readouterr().err
    assert said in err
    assert "Traceback" not in err


def test_a_reader_that_leaves_early_is_no_error() -> None:
    code = (
        "import sys; from napari_gluer.cli import main; sys.exit(main(['demo', '--print-config']))"
    )
    with subprocess.Popen(  # noqa: S603 - ours
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""
        assert process.wait() == 0


def test_a_fault_of_the_program_is_status_1() -> None:
    code = (
        "import sys; from napari_gluer.cli import application as a\n"
        "a._called = lambda asked: 1 / 0\nsys.exit(a.main([]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr


def test_every_status_is_told_in_help_and_in_the_docs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    said = " ".join(help_of(capsys, "--help").split())
    docs = (Path(__file__).resolve().parents[1] / "docs" / "cli.md").read_text()
    for status in (0, 1, 2, application.ANOTHER, application.SOME_FAILED, 130):
        assert re.search(rf"\b{status} ", said.partition("Exit status:")[2])
        assert f"| {status} |" in docs


def test_piped_progress_is_one_plain_line_a_step(capsys: pytest.CaptureFixture[str]) -> None:
    report.last = ""
    assert [*report(range(3), "Sorting")] == [0, 1, 2]
    assert [*report(range(2), "Sorting")] == [0, 1]
    list(report(range(2), "Painting"))
    assert capsys.readouterr().err == "Sorting …\nPainting …\n"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminal")
def test_on_a_terminal_progress_is_a_bar_with_the_time_left() -> None:
    code = (
        "import time; from napari_gluer.cli.application import report\n"
        "for _ in report(range(5), 'Sorting'): time.sleep(0.15)"
    )
    ours, theirs = pty.openpty()
    with subprocess.Popen([sys.executable, "-c", code], stderr=theirs) as process:  # noqa: S603
        os.close(theirs)
        said = "".join(_read(ours))
        assert process.wait() == 0
    os.close(ours)
    assert re.search(r"Sorting: +\d+%", said)
    assert re.search(r"\d/5 \[\d\d:\d\d<\d\d:\d\d", said)  # passed < left


def _read(terminal: int) -> Iterator[str]:
    while True:
        try:
            yield os.read(terminal, 4096).decode(errors="replace")
        except OSError:  # the other end is closed
            return


CALLS = [(name, call) for name, calls in EXAMPLES.items() for call in calls]


@pytest.mark.parametrize(("command", "call"), CALLS)
def test_examples_are_calls_that_the_program_understands(command: str, call: str) -> None:
    words = shlex.split(call)
    assert words[:2] == ["napari-gluer", command]
    used, bound, _ = app.parse_args(words[1:])
    assert used.__name__.replace("_", "-") == command
    assert bound.arguments


def test_every_command_shows_its_examples(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert set(EXAMPLES) == set(commands_of(app))
    for number, (command, calls) in enumerate(EXAMPLES.items()):
        width = (80, 120)[number % 2]
        monkeypatch.setattr(app, "console", Console(width=width))
        said = help_of(capsys, command, "--help")
        assert max(map(len, said.splitlines())) <= width
        typed = said.replace("\\\n", " ")  # as a shell takes lines that go on
        for call in calls:
            assert call in " ".join(typed.split()), f"{command} at {width}"


def test_what_stands_without_a_flag_comes_first_in_usage(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def usage(command: str) -> str:
        return help_of(capsys, command, "--help").splitlines()[0]

    assert usage("run") == "Usage: napari-gluer run SOURCE... --reference PATH --out PATH [OPTIONS]"
    assert (
        usage("hand-over") == "Usage: napari-gluer hand-over CELLS [GENES...] --out PATH [OPTIONS]"
    )
    assert usage("explain") == "Usage: napari-gluer explain CELLS LABEL --reference PATH [OPTIONS]"


def test_settings_of_a_preset_show_the_values_of_both(capsys: pytest.CaptureFixture[str]) -> None:
    said = " ".join(help_of(capsys, "run", "--help-all").replace("│", " ").split())
    default, paper = ng.IntegrateParams(), ng.IntegrateParams(preset="paper")
    epochs = f"[default: {default.network.max_epochs}; paper: {paper.network.max_epochs}]"
    assert (
        f"--integrate.network.max-epochs INT Largest number of passes over the pairs. {epochs}"
        in said
    )
    assert "[choices: default, paper] [default: default]" in said
    assert "[default: singular; paper: multiplicative]" in said
    assert default.canonical.rounds == paper.canonical.rounds
    rounds = said.partition("--integrate.canonical.rounds")[2].partition("--")[0]
    assert rounds.endswith(f"[default: {default.canonical.rounds}] ")
