"""The command in this process, with a converter that makes the shapes network's files whatever it is given."""

from pathlib import Path
from typing import Any

import pytest

from mnconvert.cli.main import main
from mnconvert.config import ConvertConfig
from mnconvert.conversion import Conversion, Failed
from mnconvert.report.names import variant_name
from mninfer.errors import MnError
from support.commands import Cli, in_this_process
from support.conversions import failed, made


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str]) -> Cli:
    """``cli("--quantize", "int8", "model.h5")`` -> exit code, stdout, stderr."""
    return in_this_process(main, capfd)


class Converter:
    """Stands in for the pipeline: remembers what was asked; ``fails`` has an error, or sentences, by variant's name."""

    def __init__(self) -> None:
        self.fails: dict[str, MnError | str] = {}
        self.opened: list[tuple[Any, dict[str, Any]]] = []
        self.asked: list[tuple[ConvertConfig, dict[str, Any]]] = []

    def open_source(self, model: str, config: ConvertConfig, **options: Any) -> str:
        self.opened.append((model, options))
        return model

    def convert(self, source: str, config: ConvertConfig, **options: Any) -> Conversion:
        self.asked.append((config, options))
        for stage in ("lowering", "verifying"):
            options["watcher"].stage(stage)
        outcome = self._outcome(config)
        if isinstance(outcome, Failed):
            raise outcome.error
        return outcome

    def convert_all(self, source: str, configs: Any, **options: Any) -> tuple[Conversion | Failed, ...]:
        self.asked += [(config, options) for config in configs]
        return tuple(map(self._outcome, configs))

    def _outcome(self, config: ConvertConfig) -> Conversion | Failed:
        name = variant_name(config)
        conversion = made(str(config.variant), is_per_tensor=config.is_per_tensor, is_fused=config.is_fused)
        problem = self.fails.get(name)
        if isinstance(problem, str):
            return failed(conversion, problem)
        return Failed(config=config, error=problem) if problem else conversion


@pytest.fixture
def converter(monkeypatch: pytest.MonkeyPatch) -> Converter:
    stand_in = Converter()
    monkeypatch.setattr("mnconvert.cli.converting.convert", stand_in.convert)
    monkeypatch.setattr("mnconvert.cli.converting.convert_all", stand_in.convert_all)
    monkeypatch.setattr("mnconvert.source.open_source", stand_in.open_source)
    monkeypatch.setattr("mnmodels.backend.start_keras", lambda _: None)
    return stand_in


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A file that is there; nobody reads it."""
    path = tmp_path / "net.h5"
    path.write_bytes(b"a model")
    return path
