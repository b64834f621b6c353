"""One self-contained page on conversions: drawn by us in SVG, without a script, a font or a link to anywhere else."""

from mnconvert.report.html.page import Page, render_page

__all__ = ["Page", "render_page"]
