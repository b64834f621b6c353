"""Every ``mnbench`` command line in our pages is one that mnbench takes, parsed, not run; every doubt is explained."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from mnbench.cli.main import group

pytestmark = pytest.mark.smoke

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("README.md", "docs/benchmarks.md", "docs/other-devices.md", "benchmarks/README.md")
FENCED = re.compile(r"^```\w*\n(.*?)^```", re.DOTALL | re.MULTILINE)
INLINE = re.compile(r"`(mnbench [^`]+)`")
GIVEN = re.compile(r"\bDoubt\(\s*\"([a-z-]+)\"")
ENDS = {"&&", "||", "|", ";"}
REDIRECTIONS = {">", ">>", "2>", "2>&1"}


def command_lines(text: str) -> Iterator[tuple[str, ...]]:
    """The words after ``mnbench`` of each command in the page's blocks, and of those within sentences."""
    for block in FENCED.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            if "mnbench" in line:
                yield from of_line(line)
    for line in INLINE.findall(FENCED.sub("", text)):
        (words,) = of_line(" ".join(line.split()))
        if len(words) > 1:  # else it is the name of a command, not a line to type
            yield words


def of_line(line: str) -> Iterator[tuple[str, ...]]:
    words: list[str] = []
    for word in [*shlex.split(line, comments=True), ";"]:
        if word in ENDS:
            if words[:1] == ["mnbench"]:
                stop = next((place for place, each in enumerate(words) if each in REDIRECTIONS), len(words))
                yield tuple(words[1:stop])
            words = []
        else:
            words.append(word)


def parse(words: tuple[str, ...]) -> None:
    """Raise UsageError, or SystemExit, where mnbench doesn't take them."""
    command: click.Command = group
    context = click.Context(group, info_name="mnbench")
    rest = list(words)
    while isinstance(command, click.Group):
        found = command.get_command(context, rest[0])
        if found is None:
            raise click.UsageError(f'no command "{rest[0]}"')
        command, rest = found, rest[1:]
        context = click.Context(command, parent=context, info_name=command.name)
    command.make_context(command.name, rest, parent=context.parent)


def test_every_doubt_is_explained() -> None:
    """Each code that the sources give has its line in the page's table, and none other has."""
    package = ROOT / "benchmarks" / "mnbench"
    said = {code for path in package.rglob("*.py") for code in GIVEN.findall(path.read_text(encoding="utf-8"))}
    page = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    table = page.partition("## What there is to doubt")[2].partition("\n## ")[0]
    assert said == set(re.findall(r"^\| `([a-z-]+)`", table, re.MULTILINE))


LINES = [(page, words) for page in PAGES for words in command_lines((ROOT / page).read_text(encoding="utf-8"))]


@pytest.mark.parametrize(("page", "words"), LINES, ids=[f"{page}: {' '.join(words)}" for page, words in LINES])
def test_a_documented_line_is_one_that_mnbench_takes(page: str, words: tuple[str, ...]) -> None:
    parse(words)


def test_every_page_has_some() -> None:
    assert {page for page, _ in LINES} == set(PAGES)


@pytest.mark.parametrize(
    "line",
    [
        "table",
        "tabel here.json",
        "run --preset quik",
        "run --device pi",
        "compare a.json",
        "compare a.json b.json --fail-over much",
        "peers instal mnn",
    ],
)
def test_what_mnbench_does_not_take_is_noticed(line: str) -> None:
    with pytest.raises(click.ClickException):
        parse(tuple(line.split()))


def test_lines_are_taken_out_of_what_stands_around_them() -> None:
    page = (
        "`mnbench plan` and `mnbench run --models\nX`\n```bash\nmnbench run && mnbench table a.json > b.txt  # so\n"
        "adb shell x > y 2>&1\nmnbench run \\\n  --preset quick\n```\n"
    )
    assert list(command_lines(page)) == [
        ("run",),
        ("table", "a.json"),
        ("run", "--preset", "quick"),
        ("run", "--models", "X"),
    ]
