"""Which operator takes how long: a bar to each in the network's order, and above them what each kind takes together."""

from collections.abc import Sequence
from dataclasses import dataclass

from mnbench.drawing.axis import Axis, axis_for
from mnbench.drawing.entries import Entry, notes_on
from mnbench.drawing.frame import axis_numbers, grid_across
from mnbench.drawing.lettering import shortened, text_width
from mnbench.drawing.naming import told
from mnbench.drawing.picture import Anchor, Box, Colour, Group, Item, Picture, Words
from mnbench.drawing.sheet import SIDE, WIDTH, Block, Key, foot, legend, sheet
from mnbench.profiling import OperatorTime, Profile
from mnbench.record import Row
from mnbench.showing.figures import spell_ms
from mninfer.errors import InputError

__all__ = ["draw_operators", "profile_of"]

_PITCH, _THICK, _LETTERS = 17.0, 10.0, 11.5
_START, _END = 330.0, WIDTH - 210.0  # of the axis
_RATE = WIDTH - SIDE  # where a rate ends
_STRIP = 18.0  # how high the strip of kinds is
_KINDS = (  # the first name that an operator's contains
    ("DEPTHWISE_CONV_2D", "depthwise", Colour.ORANGE),
    ("CONV_2D", "convolution", Colour.BLUE),
    ("FULLY_CONNECTED", "dense", Colour.INDIGO),
    ("", "other operators", Colour.GREY),
)
_DELEGATE_KEY = Key(text="not taken by the delegate", colour=Colour.SOFT, is_hollow=True)


def profile_of(row: Row) -> Profile | None:
    """The row's profile, which one of its processes took; None where none did. Raise InputError where it is damaged."""
    found = next((process.facts["profile"] for process in row.processes if process.facts.get("profile")), None)
    return None if found is None else Profile.from_json(found, f"the profile of {row.cell.key}")


def draw_operators(entries: Sequence[Entry], *, is_log: bool | None = None) -> Picture:
    """A panel to each row that has a profile, with what there is to doubt about the row and its run.

    Raises:
        InputError: no row has one.
    """
    profiles = [(entry, profile) for entry in entries if (profile := profile_of(entry.row)) and profile.operators]
    if not profiles:
        raise InputError("no row has a profile by operator", hints="mnbench run --profile takes one")
    footnotes = notes_on([entry for entry, _ in profiles])
    panels = [
        _panel(told(entry), profile, is_log, " ".join(footnotes.marks((*entry.record.doubts, *entry.doubts))))
        for entry, profile in profiles
    ]
    operators = [operator for _, profile in profiles for operator in profile.operators]
    about = (
        "each cut out and timed by itself, in milliseconds; its share of the sum; billions of multiply-adds a second"
    )
    return sheet("Operators", about, [legend(_keys(operators)), *panels, foot(footnotes.notes())])


def _keys(operators: Sequence[OperatorTime]) -> list[Key]:
    present = {_kind(operator) for operator in operators}
    keys = [Key(text=text, colour=colour) for _, text, colour in _KINDS if (text, colour) in present]
    return keys + ([_DELEGATE_KEY] if any(operator.is_delegated is False for operator in operators) else [])


def _kind(operator: OperatorTime) -> tuple[str, Colour]:
    """What it is called in a legend, and its colour."""
    return next((text, colour) for part, text, colour in _KINDS if part in operator.name)


def _ms(operator: OperatorTime) -> float:
    return operator.median_ns / 1e6


@dataclass(frozen=True, slots=True)
class _Frame:
    """The axis, what all operators take together, and how many decimals their figures have."""

    axis: Axis
    sum_ms: float
    decimals: int


def _panel(name: str, profile: Profile, is_log: bool | None, letters: str) -> Block:
    times = [_ms(each) for each in profile.operators]
    axis = axis_for(times, _START, _END, is_log=is_log or False)
    frame = _Frame(axis, profile.sum_ns / 1e6, 3 if max(times) < 10 else 2)
    head = 84.0
    bottom = head + _PITCH * len(profile.operators)
    items: list[Item] = [
        *_title(name, letters),
        Words(x=SIDE, y=33, text=_summary(profile), size=_LETTERS, colour=Colour.SOFT),
        *_strip(profile, 46.0),
        *grid_across(frame.axis, head, bottom),
        *axis_numbers(frame.axis, bottom, "ms"),
    ]
    items += [_row(operator, frame, head + _PITCH * (place + 0.5)) for place, operator in enumerate(profile.operators)]
    return Block(tuple(items), bottom + 40)


def _title(name: str, letters: str) -> list[Item]:
    """The row's name, and the letters of its doubts behind it."""
    room = WIDTH - 2 * SIDE - (text_width(letters, _LETTERS, is_bold=True) + 6 if letters else 0.0)
    shown = shortened(name, room, 14, is_bold=True)
    title = Words(x=SIDE, y=14, text=shown, size=14, is_bold=True)
    if not letters:
        return [title]
    x = SIDE + text_width(shown, 14, is_bold=True) + 6
    return [title, Words(x=x, y=12, text=letters, size=_LETTERS, colour=Colour.DOUBT, is_bold=True)]


def _summary(profile: Profile) -> str:
    threads = "1 thread" if profile.threads == 1 else f"{profile.threads} threads"
    return (
        f"{profile.engine}, {threads}, median of {profile.num_rounds} rounds: {len(profile.operators)} operators take "
        f"{spell_ms(profile.sum_ns / 1e6)} ms together, the whole model {spell_ms(profile.whole_ns / 1e6)} ms "
        f"({profile.ratio:.2f} times as long in pieces)"
    )


def _strip(profile: Profile, top: float) -> list[Item]:
    """One bar from side to side, a piece to each kind: where the time goes, at a glance."""
    shares: dict[tuple[str, Colour], float] = {}
    for operator in profile.operators:
        shares[_kind(operator)] = shares.get(_kind(operator), 0.0) + operator.median_ns / max(profile.sum_ns, 1)
    items: list[Item] = []
    x = SIDE
    for (text, colour), share in sorted(shares.items(), key=lambda item: -item[1]):
        width = share * (WIDTH - 2 * SIDE)
        items.append(Box(x=x, y=top, width=max(width - 1, 0.5), height=_STRIP, colour=colour))
        label = next(
            (each for each in (f"{text} {100 * share:.0f} %", f"{100 * share:.0f} %") if _fits(each, width)), ""
        )
        if label:
            ink = Colour.BLACK if colour is Colour.ORANGE else Colour.PAPER
            items.append(Words(x=x + 8, y=top + _STRIP / 2, text=label, size=11, colour=ink, is_bold=True))
        x += width
    return items


def _fits(text: str, width: float) -> bool:
    return text_width(text, 11, is_bold=True) + 12 < width


def _row(operator: OperatorTime, frame: _Frame, y: float) -> Group:
    axis, ms = frame.axis, _ms(operator)
    text, colour = _kind(operator)
    share = f"{100 * ms / frame.sum_ms:.1f} %" if frame.sum_ms else ""
    shape = "×".join(map(str, operator.shape))
    end = max(axis(ms), axis.start + 1)
    name = shortened(operator.name, 165, _LETTERS)
    figure = f"{ms:.{frame.decimals}f}"
    items: list[Item] = [
        Words(x=SIDE + 20, y=y, text=str(operator.index), size=10.5, anchor=Anchor.END, colour=Colour.SOFT),
        Words(x=SIDE + 28, y=y, text=name, size=_LETTERS),
        Words(x=_START - 10, y=y, text=shortened(shape, 105, 10.5), size=10.5, anchor=Anchor.END, colour=Colour.SOFT),
        Box(x=axis.start, y=y - _THICK / 2, width=end - axis.start, height=_THICK, colour=colour,
            is_hollow=operator.is_delegated is False),
        Words(x=end + 7, y=y, text=figure, size=_LETTERS, is_bold=True),
        Words(x=end + 11 + text_width(figure, _LETTERS, is_bold=True), y=y, text=share, size=10.5, colour=Colour.SOFT),
        Words(x=_RATE, y=y, text=_rate(operator), size=10.5, colour=Colour.SOFT, anchor=Anchor.END),
    ]  # fmt: skip
    return Group(
        tuple(items), f"{operator.index} {operator.name} ({text})\n{operator.tensor}\n{shape} {operator.dtype}"
    )


def _rate(operator: OperatorTime) -> str:
    """Multiply-adds a nanosecond are billions a second; an operator without any has none."""
    if not (operator.macs and operator.median_ns):
        return ""
    return f"{operator.macs / 1e6:.1f} M, {operator.macs / operator.median_ns:.1f} G/s"
