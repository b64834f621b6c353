"""``mnbench peers``: install, list and remove others' runtimes."""

from typing import Any

import click

from mnbench.peers.environments import find_installed, peers_folder
from mnbench.peers.installing import install_peer, remove_environment, wanted_environments
from mnbench.peers.peer import ENVIRONMENTS, PEERS, Peer, environment_named
from mninfer.cli.options import examples
from mninfer.cli.output import json_line, note, say

__all__ = ["command"]

_INSTALLABLE = (*(name for name, peer in PEERS.items() if not peer.refusal), "tflite-runtime")


@click.group(
    "peers",
    epilog=examples(
        "mnbench peers list",
        "mnbench peers install onnxruntime openvino",
        "mnbench run --preset peers -o peers.json",
        "mnbench peers remove onnxruntime tf2onnx",
    ),
)
def command() -> None:
    """Other runtimes, each in an environment of its own: they disagree over numpy, or overwrite cv2.

    An environment is made by this Python's venv and pip, below the user's cache or in the folder MNBENCH_PEERS.
    """


@command.command("install")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--runtime-only", is_flag=True, help="Without what converts for it: for a device that gets its files.")
def _install(names: tuple[str, ...], runtime_only: bool) -> None:
    """Install peers, or "all"; what is there already is left alone.

    Interrupted, nothing half done is kept; the same command begins again.
    """
    wanted = _INSTALLABLE if names == ("all",) else names
    for name in wanted:
        wanted_environments(name)  # the last name is known to be one before the first takes a gigabyte
    for name in wanted:
        install_peer(name, note, has_converter=not runtime_only)
    say(f"{_total_mb():,.0f} MB in {peers_folder()}")


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def _list(as_json: bool) -> None:
    """Show every peer: installed or not, what it takes, which variants it runs, and why it runs no others."""
    if as_json:
        json_line({"folder": str(peers_folder()), "peers": [_to_json(peer) for peer in PEERS.values()]})
        return
    for line in _overview():
        say(line)


@command.command("remove")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
def _remove(names: tuple[str, ...]) -> None:
    """Take environments away; converters have names of their own: tf2onnx, pnnx."""
    for name in names:
        environment_named(name)  # before any is gone
    for name in names:
        say(f"{name}: {remove_environment(name) / 1e6:,.0f} MB given back")


def _overview() -> list[str]:
    lines = [f"in {peers_folder()}"]
    width = max(map(len, ENVIRONMENTS))
    for peer in PEERS.values():
        lines.append(f"{peer.name:<{width}}  {_state(peer.name)}")
        lines += [f"{'':<{width}}  {text}" for text in _remarks(peer)]
    lines += [f"{name:<{width}}  {_state(name)}" for name in ENVIRONMENTS if name not in PEERS]
    return lines


def _state(name: str) -> str:
    if name not in ENVIRONMENTS:
        return "can't be installed"
    found = find_installed(name)
    if found is None:
        return f"not installed, about {ENVIRONMENTS[name].about_mb:,} MB"
    age = "" if found.is_current else ", of another mnbench: mnbench peers install renews it"
    return f"installed: {found.version}, {found.size_bytes / 1e6:,.0f} MB{age}"


def _remarks(peer: Peer) -> list[str]:
    if peer.refusal:
        return [peer.refusal]
    texts = [f"runs {', '.join(peer.variants)}"]
    texts += [f"converted by {' and '.join(peer.converters)}"] if peer.converters else []
    reasons: dict[str, list[str]] = {}
    for variant, reason in peer.refused.items():
        reasons.setdefault(reason, []).append(str(variant))
    texts += [f"no {', '.join(variants)}: {reason}" for reason, variants in reasons.items()]
    return texts + list(peer.limits)


def _to_json(peer: Peer) -> dict[str, Any]:
    found = {name: find_installed(name) for name in peer.environments}
    return {
        "name": peer.name,
        "title": peer.title,
        "is_installed": bool(found) and all(found.values()),
        "environments": {
            name: None
            if there is None
            else {
                "folder": str(there.folder),
                "packages": dict(there.packages),
                "size_bytes": there.size_bytes,
                "is_current": there.is_current,
            }
            for name, there in found.items()
        },
        "variants": [str(variant) for variant in peer.variants],
        "refused": {str(variant): reason for variant, reason in peer.refused.items()},
        "limits": list(peer.limits),
        "refusal": peer.refusal,
    }


def _total_mb() -> float:
    found = [find_installed(name) for name in ENVIRONMENTS]
    return sum(each.size_bytes for each in found if each is not None) / 1e6
