"""The colours: for light paper, for dark, and as the variables of a page that has both."""

from collections.abc import Mapping

from mnbench.drawing.picture import Colour

__all__ = ["BREATH", "DARK", "LIGHT", "VARIABLES", "style_variables"]

# The series are Okabe and Ito's colours (Color Universal Design, 2008), which people with any colour vision tell apart;
# yellow, too pale for a line on white, gave way to indigo. On dark paper the same hues, lighter.
LIGHT: Mapping[Colour, str] = {
    Colour.PAPER: "#ffffff",
    Colour.INK: "#1b1b1a",
    Colour.SOFT: "#62605b",
    Colour.GRID: "#e8e5df",
    Colour.AXIS: "#8b8880",
    Colour.DOUBT: "#9a5b00",
    Colour.BLUE: "#0072b2",
    Colour.SKY: "#56b4e9",
    Colour.GREEN: "#009e73",
    Colour.INDIGO: "#5b4da8",
    Colour.ORANGE: "#e69f00",
    Colour.RED: "#d55e00",
    Colour.PINK: "#cc79a7",
    Colour.GREY: "#9a958a",
    Colour.BLACK: "#1b1b1a",
}
DARK: Mapping[Colour, str] = {
    Colour.PAPER: "#161615",
    Colour.INK: "#f1efea",
    Colour.SOFT: "#aaa79f",
    Colour.GRID: "#32312e",
    Colour.AXIS: "#7b7871",
    Colour.DOUBT: "#e8b14d",
    Colour.BLUE: "#4ba3dd",
    Colour.SKY: "#93d1f4",
    Colour.GREEN: "#3fc59b",
    Colour.INDIGO: "#a094ec",
    Colour.ORANGE: "#f2b84b",
    Colour.RED: "#f07c40",
    Colour.PINK: "#e6a0c6",
    Colour.GREY: "#8d897f",
    Colour.BLACK: "#1b1b1a",
}
BREATH = 0.22  # how much of its colour the inside of a hollow shape keeps
VARIABLES: Mapping[Colour, str] = {colour: f"var(--plot-{colour})" for colour in Colour}


def style_variables(colours: Mapping[Colour, str]) -> str:
    """Declarations of CSS that give the page's variables these colours."""
    return " ".join(f"--plot-{name}: {colour};" for name, colour in colours.items())
