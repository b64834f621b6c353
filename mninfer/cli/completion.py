"""What a shell asks for while a line is typed: click's own answers, and files where it has none."""

from typing import TYPE_CHECKING

from click.shell_completion import CompletionItem, ShellComplete, add_completion_class, get_completion_class

if TYPE_CHECKING:
    Base = ShellComplete
else:
    Base = object

__all__ = ["complete_files_too"]

_SHELLS = ("bash", "zsh", "fish")


class _FilesToo(Base):
    """Models and pictures are typed as text, for which click completes nothing, not even what the shell would have."""

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        return super().get_completions(args, incomplete) or [CompletionItem(incomplete, type="file")]


def complete_files_too() -> None:
    """From here on in this process."""
    for name in _SHELLS:
        if known := get_completion_class(name):
            add_completion_class(type(known.__name__, (_FilesToo, known), {}), name)
