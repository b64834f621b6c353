"""Over a real sshd on loopback: what comes back, and what is told when something doesn't."""

import json
import os
import shlex
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import pytest

from mnbench.record import Record, Row, Status
from mnbench.record_file import encode_record
from mnbench.remote import connection, ssh
from mnbench.remote.connection import Connection
from mnbench.remote.far_side import MARK, facts
from mnbench.remote.ssh import EndedEarlyError, run_over_ssh
from mnbench.remote.target import SshTarget
from mninfer.errors import EngineError, InputError, MissingDependencyError, MnError, OutputError
from support.loopback_ssh import LoopbackSsh
from support.records import board_record

RECORD = board_record()
PARTIAL = replace(RECORD, is_complete=False)
BEGUN = replace(PARTIAL, rows=(Row(cell=RECORD.rows[0].cell, status=Status.PENDING),))
PATIENCE_S = 20.0

RunThere = Callable[[str], None]


def write(record: Record) -> str:
    return f"open('result.json', 'wb').write({encode_record(record)!r})\n"


WRITE_RECORD = write(RECORD)


def run(
    server: LoopbackSsh, python: str, *bundles: Path, said: list[str] | None = None, arguments: tuple[str, ...] = ()
) -> Record:
    lines: list[str] = [] if said is None else said
    return run_over_ssh(server.target, arguments, bundles, watcher=lines.append, python=python)


def wait_until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.02)


def noticed(monkeypatch: pytest.MonkeyPatch, owner: object, name: str) -> threading.Event:
    """Set as soon as ``owner.name`` is called."""
    called = threading.Event()
    whole = getattr(owner, name)

    def notice(*arguments: object) -> object:
        called.set()
        return whole(*arguments)

    monkeypatch.setattr(owner, name, notice)
    return called


def press_control_c() -> None:
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)


@pytest.mark.smoke
def test_models_and_options_go_there_and_the_record_comes_back(
    server: LoopbackSsh, python: str, there: Path, tmp_path: Path, run_there: RunThere
) -> None:
    model = tmp_path / "a model's name; $(x).tflite"
    model.write_bytes(b"TFL3" * 1000)
    run_there(
        "import sys, pathlib\n"
        "models = [pathlib.Path(word) for word in sys.argv if word.startswith('models/')]\n"
        "print('arguments', sys.argv[1:], file=sys.stderr)\n"
        "print('sizes', [path.stat().st_size for path in models], file=sys.stderr)\n" + WRITE_RECORD
    )
    said: list[str] = []
    record = run(server, python, model, said=said, arguments=("--preset", "quick", "--threads", "1,2"))
    assert record == RECORD
    expected = ["run", "--preset", "quick", "--threads", "1,2", "--models", f"models/{model.name}", "-o", "result.json"]
    assert f"arguments {expected}" in said
    assert "sizes [4000]" in said
    assert list(there.iterdir()) == []


def test_a_folder_of_a_model_goes_there_whole(
    server: LoopbackSsh, python: str, tmp_path: Path, run_there: RunThere
) -> None:
    bundle = tmp_path / "bundle"
    (bundle / "deep").mkdir(parents=True)
    (bundle / "deep" / "file").write_bytes(b"x")
    run_there(f"import os; assert os.path.exists('models/bundle/deep/file')\n{WRITE_RECORD}")
    assert run(server, python, bundle) == RECORD


@pytest.mark.parametrize("talk", ["welcome to this machine", "-n no line", "x" * 100_000])
def test_a_shell_that_talks_is_not_taken_for_the_device(
    server: LoopbackSsh, there: Path, run_there: RunThere, talk: str
) -> None:
    chatty = server.python("chatty", f'echo {talk}; TMPDIR={there} exec {shlex.quote(sys.executable)} "$@"')
    run_there(WRITE_RECORD)
    assert run(server, chatty) == RECORD


def test_a_shell_that_never_ends_talking_is_an_error(server: LoopbackSsh) -> None:
    with pytest.raises(EngineError, match="talks without end"):
        run(server, server.python("endless", "exec yes"))


@pytest.mark.smoke
def test_a_shell_that_waits_for_an_answer_is_given_up(server: LoopbackSsh, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssh, "_FIRST_S", 1.0)
    begun = time.monotonic()
    with pytest.raises(EngineError, match="does its login shell wait for an answer"):
        run(server, server.python("asking", "exec sleep 60"))
    assert time.monotonic() - begun < PATIENCE_S


def test_no_python_there(server: LoopbackSsh) -> None:
    with pytest.raises(MissingDependencyError) as caught:
        run(server, "/nowhere/python3")
    assert 'there is no "/nowhere/python3" on 127.0.0.1' in str(caught.value)
    assert "apt-get install python3" in str(caught.value)


def test_an_old_python_there(server: LoopbackSsh) -> None:
    code = "import sys; sys.version_info = (3, 9); exec(sys.argv[2])"
    old = server.python("old", f'exec {shlex.quote(sys.executable)} -c {shlex.quote(code)} "$@"')
    with pytest.raises(MissingDependencyError, match=r"has Python 3\.9, mnbench needs 3\.11"):
        run(server, old)


def test_no_numpy_there(server: LoopbackSsh) -> None:
    bare = server.python("bare", f'exec {shlex.quote(sys.executable)} -I -S "$@"')
    with pytest.raises(MissingDependencyError) as caught:
        run(server, bare)
    assert "127.0.0.1 has no numpy and click" in str(caught.value)
    assert "pip install numpy click" in str(caught.value)


@pytest.mark.smoke
def test_no_engine_there(server: LoopbackSsh, tmp_path: Path) -> None:
    for name in ("numpy", "click"):
        (tmp_path / f"{name}.py").write_text("")
    bare = server.python("bare", f'PYTHONPATH={tmp_path} exec {shlex.quote(sys.executable)} -S "$@"')
    with pytest.raises(MissingDependencyError) as caught:
        run(server, bare)
    assert "127.0.0.1 has no TFLite engine" in str(caught.value)
    assert "there: " in str(caught.value)
    assert "pip install" in str(caught.value)


@pytest.mark.smoke
def test_what_lies_in_the_home_is_no_package_there(server: LoopbackSsh, tmp_path: Path) -> None:
    """A login begins there: among a user's own files may be a checkout of TensorFlow, and a program of any name."""
    home, packages = tmp_path / "home", tmp_path / "packages"
    (home / "tensorflow" / "core").mkdir(parents=True)
    (home / "tarfile.py").write_text("raise SystemExit('a program of somebody')")
    packages.mkdir()
    for name in ("numpy", "click"):
        (packages / f"{name}.py").write_text("")
    bare = server.python("bare", f'cd {home}; PYTHONPATH={packages} exec {shlex.quote(sys.executable)} -S "$@"')
    with pytest.raises(MissingDependencyError, match=r"127\.0\.0\.1 has no TFLite engine"):
        run(server, bare)


def test_no_room_there(server: LoopbackSsh, python: str, there: Path, tmp_path: Path, run_there: RunThere) -> None:
    model = tmp_path / "large.tflite"
    model.write_bytes(bytes(3 << 20))
    run_there(WRITE_RECORD)
    full = server.python("full", f'ulimit -f 1024; exec {python} "$@"')  # blocks of 512 bytes or of 1,024
    with pytest.raises(OutputError) as caught:
        run(server, full, model)
    assert "127.0.0.1 can't take the models" in str(caught.value)
    assert str(there) in str(caught.value)
    assert list(there.iterdir()) == []


def test_no_folder_for_temporary_files_there(server: LoopbackSsh, run_there: RunThere) -> None:
    code = "import sys, tempfile; tempfile.tempdir = '/nowhere'; exec(sys.argv[2])"
    homeless = server.python("homeless", f'exec {shlex.quote(sys.executable)} -c {shlex.quote(code)} "$@"')
    run_there(WRITE_RECORD)
    with pytest.raises(OutputError, match="/nowhere"):
        run(server, homeless)


def test_a_run_that_fails_is_told_with_its_last_lines(
    server: LoopbackSsh, python: str, there: Path, run_there: RunThere
) -> None:
    run_there("raise SystemExit('Error: the engine is out of order')")
    with pytest.raises(EngineError) as caught:
        run(server, python)
    assert "ended with exit code 1, with no record" in str(caught.value)
    assert "| Error: the engine is out of order" in str(caught.value)
    assert list(there.iterdir()) == []


def test_a_run_with_a_record_and_an_exit_code_has_a_record(
    server: LoopbackSsh, python: str, run_there: RunThere
) -> None:
    run_there(f"{WRITE_RECORD}raise SystemExit(1)")
    assert run(server, python) == RECORD


@pytest.mark.smoke
@pytest.mark.parametrize(
    ("end", "how"),
    [
        ("sys.exit('Error: the disk is full')", "ended with exit code 1"),
        ("sys.exit(130)", "ended with exit code 130"),
        ("os.kill(os.getpid(), 9)", "was ended by SIGKILL (as where memory runs out)"),
    ],
)
def test_a_run_that_ends_before_its_time_is_an_error_with_its_record(
    server: LoopbackSsh, python: str, run_there: RunThere, end: str, how: str
) -> None:
    """Nobody here pressed Control-C: that it was interrupted would be no reason."""
    run_there(f"import os, sys\nprint('what it said', file=sys.stderr)\n{write(PARTIAL)}{end}")
    with pytest.raises(EndedEarlyError) as caught:
        run(server, python)
    assert f"the run there {how}, before its time" in str(caught.value)
    assert "| what it said" in str(caught.value)
    doubt, *others = caught.value.record.doubts
    assert doubt.code == "ended-early"
    assert how in doubt.text
    assert others == []
    assert caught.value.record.rows == RECORD.rows


@pytest.mark.smoke
def test_a_run_that_ends_before_its_first_process_has_no_record(
    server: LoopbackSsh, python: str, run_there: RunThere
) -> None:
    """A file with nothing in it would keep the place of the next."""
    run_there(f"import sys\n{write(BEGUN)}sys.exit('Error: the disk is full')")
    with pytest.raises(EngineError, match="ended with exit code 1, with no record") as caught:
        run(server, python)
    assert not isinstance(caught.value, EndedEarlyError)
    assert "| Error: the disk is full" in str(caught.value)


@pytest.mark.smoke
def test_the_last_words_of_a_run_that_died_are_waited_for(
    server: LoopbackSsh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They come by another way than the record, and may come after it."""
    go_on = tmp_path / "go on"
    python = slow_python(server, tmp_path, slow_far_side(go_on, PARTIAL, "the folder"))
    asked = noticed(monkeypatch, Connection, "hear_out")
    speaking = threading.Thread(target=lambda: (wait_until(asked.is_set), go_on.touch()))
    speaking.start()
    with pytest.raises(EndedEarlyError, match=r"\| its last words"):
        run(server, python)
    speaking.join()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"not json", "no record"),
        (b'{"kind": "mnbench", "schema": 99}', "schema 99"),
        (b'{"kind": "mnbench", "schema": 1}', "no record"),
        (encode_record(RECORD).replace(b"[5, 6, 7]", b'["\x1b[2J"]'), "no record"),
        (b"[" * 100_000, "no record"),
    ],
)
def test_a_hostile_record_is_refused(
    server: LoopbackSsh, python: str, run_there: RunThere, data: bytes, message: str
) -> None:
    run_there(f"open('result.json', 'wb').write({data!r})")
    with pytest.raises(InputError, match=message):
        run(server, python)


@pytest.mark.parametrize(
    "answer",
    [
        '{"state": "done", "size": 99999999999}',
        '{"state": 7}',
        "[]",
        "{",
        "[" * 60_000,
        '{"state": "ready"}',
        '{"state": "odd"}',
    ],
    ids=range(7),
)
def test_a_hostile_answer_is_a_known_error(server: LoopbackSsh, answer: str) -> None:
    liar = server.python("liar", f"cat > /dev/null & echo '@mnbench@ '{shlex.quote(answer)}; wait")
    with pytest.raises(MnError):
        run(server, liar)


@pytest.mark.smoke
def test_a_broken_connection_ends_the_run_there(
    server: LoopbackSsh, python: str, there: Path, run_there: RunThere, tmp_path: Path
) -> None:
    pid = tmp_path / "pid"
    run_there(
        "import os, sys, time\n"
        f"open({str(pid)!r}, 'w').write(str(os.getppid()))\n"
        "print('begun', file=sys.stderr)\n"
        "time.sleep(60)\n"
    )
    said: list[str] = []
    threading.Thread(target=lambda: (wait_until(lambda: "begun" in said), end_connection(int(pid.read_text())))).start()
    with pytest.raises(EngineError) as caught:
        run(server, python, said=said)
    assert "the connection broke" in str(caught.value)
    assert "nohup" in str(caught.value)
    wait_until(lambda: not list(there.iterdir()))


def end_connection(far_side: int) -> None:
    """Kill the sshd that serves the far side: what a cut line is in the end."""
    process = far_side
    while process > 1:
        status = dict(line.split(":\t", 1) for line in Path(f"/proc/{process}/status").read_text().splitlines())
        if status["Name"] in ("sshd", "sshd-session"):
            os.kill(process, signal.SIGKILL)
            return
        process = int(status["PPid"])
    raise AssertionError("the far side has no sshd above it")


def test_a_record_is_read_without_a_place_on_this_machine(
    server: LoopbackSsh, python: str, run_there: RunThere, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the end of a long run its disk may be full."""

    def fill_up(said: str) -> None:
        if said.startswith("running on"):
            monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))

    run_there(WRITE_RECORD)
    assert run_over_ssh(server.target, (), (), watcher=fill_up, python=python) == RECORD


@pytest.mark.parametrize("kept", [PARTIAL, BEGUN, None], ids=["a record", "a record of nothing", "no record"])
def test_control_c_ends_the_run_there_and_brings_what_it_has(
    server: LoopbackSsh,
    python: str,
    there: Path,
    run_there: RunThere,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kept: Record | None,
) -> None:
    begun, ended = tmp_path / "begun", tmp_path / "ended"
    run_there(
        "import sys, time\n"
        "try:\n"
        f"    open({str(begun)!r}, 'w').close()\n"
        "    time.sleep(60)\n"
        "except KeyboardInterrupt:\n"
        f"    open({str(ended)!r}, 'w')\n" + (f"    {write(kept)}" if kept else "") + "    sys.exit(130)\n"
    )
    waits = noticed(monkeypatch, Future, "result")

    def interrupt() -> None:
        wait_until(lambda: begun.exists() and waits.is_set())
        press_control_c()

    threading.Thread(target=interrupt).start()
    if kept == PARTIAL:
        assert run(server, python) == PARTIAL
    else:
        with pytest.raises(KeyboardInterrupt):
            run(server, python)
    assert ended.exists()
    wait_until(lambda: not list(there.iterdir()))


@pytest.mark.slow
@pytest.mark.smoke
@pytest.mark.parametrize(
    ("where", "owner", "hearing"),
    [("the message", ssh, "_receive"), ("the record", Connection, "receive")],
    ids=["the message", "the record"],
)
def test_control_c_while_the_record_is_on_its_way_brings_it_all_the_same(
    server: LoopbackSsh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, owner: object, hearing: str
) -> None:
    go_on = tmp_path / "go on"
    python = slow_python(server, tmp_path, slow_far_side(go_on, RECORD, where))
    waits, hears = noticed(monkeypatch, Future, "result"), noticed(monkeypatch, owner, hearing)
    is_told = noticed(monkeypatch, Connection, "stop")

    def interrupt() -> None:
        wait_until(lambda: waits.is_set() and hears.is_set())
        press_control_c()
        wait_until(is_told.is_set)
        go_on.touch()

    interrupting = threading.Thread(target=interrupt)
    interrupting.start()
    assert run(server, python) == RECORD
    interrupting.join()
    assert go_on.exists(), "it was interrupted"


@pytest.mark.smoke
@pytest.mark.parametrize(
    ("record", "waiting"), [(RECORD, "close"), (PARTIAL, "hear_out")], ids=["a whole record", "a partial record"]
)
def test_control_c_while_the_folder_there_is_removed_costs_no_record(
    server: LoopbackSsh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record: Record, waiting: str
) -> None:
    """A slow card deletes for so long that one thinks that nothing happens any more."""
    go_on = tmp_path / "go on"
    python = slow_python(server, tmp_path, slow_far_side(go_on, record, "the folder"))
    monkeypatch.setattr(connection, "_CLOSE_S", 0.5)  # what is waited after an error; the rest takes 20 s
    waits = noticed(monkeypatch, Connection, waiting)
    interrupting = threading.Thread(target=lambda: (wait_until(waits.is_set), press_control_c()))
    interrupting.start()
    try:
        rows = run(server, python).rows
    except EndedEarlyError as error:
        rows = error.record.rows
    except KeyboardInterrupt:
        pytest.fail("the record was here, and is lost")
    finally:
        go_on.touch()
        interrupting.join()
    assert rows == record.rows


def slow_python(server: LoopbackSsh, folder: Path, source: str) -> str:
    """A "Python" of that machine that runs ``source``, whatever it is asked to run."""
    path = folder / "slow.py"
    path.write_text(source)
    return server.python("slow", f"exec {shlex.quote(sys.executable)} {shlex.quote(str(path))}")


def slow_far_side(go_on: Path, record: Record, where: str) -> str:
    """A far side that pauses in its answer until it finds the file ``go_on``.

    ``where``: in "the message", in "the record", or behind both, in removing "the folder".
    """
    data = encode_record(record)
    code = 0 if record.is_complete else 1
    done = f"{MARK}{json.dumps({'state': 'done', 'code': code, 'size': len(data)})}\n".encode()
    pause = {
        "the message": len(done) // 2,
        "the record": len(done) + len(data) // 2,
        "the folder": len(done) + len(data),
    }[where]
    first = "".join(
        f"{MARK}{json.dumps(message)}\n"
        for message in ({"state": "ready", **facts(), "missing": [], "engines": ["litert"]}, {"state": "running"})
    ).encode()
    return (
        "import os, shutil, sys, threading, time\n"
        "threading.Thread(target=lambda: shutil.copyfileobj(sys.stdin.buffer, open(os.devnull, 'wb'))).start()\n"
        f"os.write(1, {first + (done + data)[:pause]!r})\n"
        f"end = time.monotonic() + {3 * PATIENCE_S}\n"
        f"while not os.path.exists({str(go_on)!r}) and time.monotonic() < end:\n"
        "    time.sleep(0.02)\n"
        f"os.write(1, {(done + data)[pause:]!r})\n"
        "os.write(2, b'its last words\\n')\n"
        "os._exit(0)\n"  # the thread may wait for stdin
    )


@pytest.mark.parametrize(
    ("target", "what", "hint"),
    [
        (SshTarget("no-such-machine.invalid"), 'no machine is called "no-such-machine.invalid"', "ping"),
        (SshTarget("127.0.0.1", port=1), "127.0.0.1 doesn't listen for ssh", "raspi-config"),
    ],
)
def test_a_machine_that_is_not_there(server: LoopbackSsh, target: SshTarget, what: str, hint: str) -> None:
    with pytest.raises(InputError) as caught:
        run_over_ssh(target, (), (), watcher=lambda _: None)
    assert what in str(caught.value)
    assert hint in str(caught.value)


def test_a_machine_that_takes_the_call_and_says_nothing(server: LoopbackSsh, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "_CONNECT_S", 1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        target = SshTarget("127.0.0.1", port=silent.getsockname()[1])
        with pytest.raises(InputError, match="doesn't answer"):
            run_over_ssh(target, (), (), watcher=lambda _: None)


def test_a_machine_that_goes_while_it_is_sent_the_models(server: LoopbackSsh, tmp_path: Path) -> None:
    model = tmp_path / "large.tflite"
    model.write_bytes(bytes(20 << 20))
    ready = json.dumps({"state": "ready", **facts(), "missing": [], "engines": ["ai_edge_litert"]})
    python = server.python("short", f"echo '{MARK}'{shlex.quote(ready)}")
    with pytest.raises(EngineError, match="the connection broke"):
        run(server, python, model)


def test_a_user_without_a_key(server: LoopbackSsh, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ssh = tmp_path / "bin" / "ssh"
    ssh.write_text(
        ssh.read_text().replace(' "$@"', ' -o IdentityFile=none "$@"').replace("-F ", "-o PubkeyAuthentication=no -F ")
    )
    with pytest.raises(InputError) as caught:
        run(server, "python3")
    assert "doesn't let this user in without a password" in str(caught.value)
    assert "ssh-copy-id" in str(caught.value)


def test_a_machine_that_is_not_known(server: LoopbackSsh, tmp_path: Path) -> None:
    ssh = tmp_path / "bin" / "ssh"
    ssh.write_text(ssh.read_text().replace("-F ", "-o UserKnownHostsFile=/dev/null -F "))
    with pytest.raises(InputError) as caught:
        run(server, "python3")
    assert "isn't known to this machine yet" in str(caught.value)
    assert f"ssh -p {server.port}" in str(caught.value)


def test_no_ssh_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingDependencyError, match="no ssh on this machine"):
        run_over_ssh(SshTarget("host"), (), (), watcher=lambda _: None)


@pytest.mark.smoke
def test_an_ssh_that_is_no_program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "ssh").write_text("a text")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingDependencyError, match="this machine's ssh can't be run: Permission denied"):
        run_over_ssh(SshTarget("host"), (), (), watcher=lambda _: None)


def test_a_model_that_is_not_there_and_two_of_one_name(tmp_path: Path) -> None:
    def fail(*bundles: Path) -> str:
        with pytest.raises(InputError) as caught:
            run_over_ssh(SshTarget("host"), (), bundles, watcher=lambda _: None)
        return str(caught.value)

    assert "can't be read" in fail(tmp_path / "none.tflite")
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "m.tflite").write_bytes(b"x")
    assert 'two models are called "m.tflite"' in fail(tmp_path / "a" / "m.tflite", tmp_path / "b" / "m.tflite")
