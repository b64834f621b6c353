"""Load hostile Keras files one after another, in a process that may die, and say what came of each.

In, a line for each: a path. Out, a line of JSON for each: the verdict and its detail. What must not happen is watched
from inside by an audit hook: programs started, code unpacked, files written, connections opened.
"""

import json
import os
import sys
import threading
from pathlib import Path

LIMIT_BYTES = 2 << 30
# Events of sys.audit that no reading of a file has a reason for.
FORBIDDEN = {"marshal.loads", "pickle.find_class", "os.system", "os.exec", "os.posix_spawn", "os.fork",
    "socket.connect",
             "urllib.Request", "shutil.copyfile", "os.symlink", "os.link", "os.mkdir", "os.rename"}  # fmt: skip
OURS = "hdf5_process.py"


class Watch:
    """What has been seen since the last file; off while Keras starts."""

    def __init__(self) -> None:
        self.is_on = False
        self.seen: list[str] = []

    def __call__(self, event: str, args: tuple[object, ...]) -> None:
        if not self.is_on or threading.current_thread() is not threading.main_thread():
            return
        if event == "subprocess.Popen" and not any(OURS in str(part) for part in args[1]):  # type: ignore[attr-defined]
            self.seen.append(f"{event} {args[:2]}")
        elif event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+"):
            if not isinstance(args[0], int) and not str(args[0]).startswith(("/dev/null", os.environ["SCRATCH"])):
                self.seen.append(f"{event} {args[:2]}")
        elif event in FORBIDDEN and not is_import(event):
            self.seen.append(f"{event} {str(args)[:200]}")


def is_import(event: str) -> bool:
    """Python's own reading of compiled modules."""
    if event != "marshal.loads":
        return False
    frame = sys._getframe()
    while frame := frame.f_back:  # type: ignore[assignment]
        if "importlib" in frame.f_code.co_filename:
            return True
    return False


def main() -> None:
    import resource

    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # TensorFlow's words are not ours
    watch = Watch()
    sys.addaudithook(watch)
    from mnmodels.backend import start_keras

    keras = start_keras()
    warm_up(keras)
    used = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (used + LIMIT_BYTES, resource.RLIM_INFINITY))
    print("ready", file=out, flush=True)
    for line in sys.stdin:
        watch.seen, watch.is_on = [], True
        verdict, detail = load(line.strip())
        watch.is_on = False
        if watch.seen:
            verdict, detail = "ran code", "; ".join(watch.seen)
        if Path(os.environ["CANARY"], "canary").exists():
            verdict, detail = "ran code", "the canary is there"
        print(json.dumps([verdict, detail]), file=out, flush=True)


def warm_up(keras: object) -> None:
    """What Keras and its backend open once, they open before anything is watched."""
    from keras_files import hdf5_bytes, keras_zip_bytes
    from mnmodels.keras_file import load_keras

    for name, data in (("a.h5", hdf5_bytes()), ("a.keras", keras_zip_bytes())):
        path = Path(os.environ["SCRATCH"], name)
        path.write_bytes(data)
        load_keras(path)


def load(path: str) -> tuple[str, str]:
    """Refused in our words, loaded, or a bug of ours."""
    from mninfer.errors import MnError
    from mnmodels.keras_file import load_keras

    try:
        found = load_keras(path)
    except MnError as error:
        return "refused", str(error).splitlines()[0][:200]
    except MemoryError:
        return "large", "more than 2 GiB asked for"
    except Exception as error:  # noqa: BLE001
        return "bug", f"{type(error).__name__}: {error}"[:500]
    return "loaded", f"{found.kind} {len(found.changes)} changes"


if __name__ == "__main__":
    main()
