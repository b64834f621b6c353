"""The oldest TensorFlow Lite release that a model loads on, from the versions of its operators."""

from mninfer.model_file.graph import Graph
from mninfer.model_file.operators import load_operators

__all__ = ["oldest_runtime", "runtime_by_operator"]


def oldest_runtime(graph: Graph) -> str | None:
    """The release, as ``2.3.0``; None where an operator or its version is not in the table."""
    found = runtime_by_operator(graph)
    releases = [release for release in found.values() if release is not None]
    if not releases or len(releases) < len(found):
        return None
    return max(releases, key=_number)


def runtime_by_operator(graph: Graph) -> dict[tuple[str, int], str | None]:
    """(operator, version) -> the oldest release that has it; None where that is not known."""
    listed, custom = load_operators()
    result: dict[tuple[str, int], str | None] = {}
    for operator in graph.operators:
        facts = (custom if operator.is_custom else listed).get(operator.name)
        known = facts is not None and 1 <= operator.version <= len(facts.runtime)
        result[operator.name, operator.version] = facts.runtime[operator.version - 1] if facts and known else None
    return result


def _number(release: str) -> tuple[int, ...]:
    return tuple(int(part) for part in release.split("."))
