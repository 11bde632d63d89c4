"""What the one file runs first: it finds a Python that the file has parts for, and unpacks these once.

Until the version is known it has to run on any Python, 2.7 among them: so it has no newer syntax, and at the
top it imports nothing that a Python may lack.
"""

import os
import sys

import built  # made by tools/onefile/build.py

#: A version that nobody used for so long is removed, in seconds.
_UNUSED = 30 * 24 * 3600
_OLDEST = (3, 11)
_CHECK = "import sys; sys.exit(sys.version_info[:2] != (%d, %d))"


def main():
    """Run the command."""
    if not _OLDEST <= sys.version_info[:2] <= built.NEWEST:
        _run_by_another_python()
    _refuse_what_cannot_run_it()
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [path for path in sys.path if os.path.abspath(path) != here]
    sys.path.insert(0, _parts(here))
    name = os.path.basename(sys.argv[0])
    sys.argv[0] = name if name.startswith("kubectl") else "twinhull"
    from twinhull.cli import main as command  # noqa: PLC0415

    command()


def _run_by_another_python():
    """Ends this process, in favour of a Python of the PATH that the file has parts for."""
    for minor in range(built.NEWEST[1], _OLDEST[1] - 1, -1):
        for folder in os.environ.get("PATH", "").split(os.pathsep):
            program = os.path.join(folder, "python3.%d" % minor)
            if os.access(program, os.X_OK) and _is_python(program, minor):
                os.execv(program, [program] + sys.argv)
    oldest, here = "3.%d" % _OLDEST[1], "%d.%d" % tuple(sys.version_info[:2])
    _end(
        "twinhull needs Python %s to 3.%d. This is Python %s, and the PATH has no other one: install "
        "python%s, or name one: python%s %s" % (oldest, built.NEWEST[1], here, oldest, oldest, sys.argv[0])
    )


def _is_python(program, minor):
    """Whether a program is Python of that version. A wrapper may only say that there is none."""
    import subprocess  # noqa: PLC0415

    with open(os.devnull, "r+") as nothing:
        command = [program, "-c", _CHECK % (3, minor)]
        return subprocess.call(command, stdin=nothing, stdout=nothing, stderr=nothing) == 0


def _refuse_what_cannot_run_it():
    system, machine = os.uname()[0], os.uname()[4]
    if (system, machine) != (built.SYSTEM, built.MACHINE):
        _end(
            "this file is for %s on %s, and this is %s on %s: take the file for it"
            % (built.SYSTEM, built.MACHINE, system, machine)
        )
    if sys.implementation.name != "cpython" or "t" in sys.abiflags:
        _end("twinhull needs CPython as it usually is, with its global lock: take another Python")


def _parts(here):
    """The folder with the parts for this Python, unpacked if it isn't there yet."""
    name = "%s-cp3%d" % (built.DIGEST, sys.version_info[1])
    base = _own_folder()
    if base is None:
        return _for_this_call_only(here)
    folder = os.path.join(base, name)
    if not os.path.isdir(folder):
        _refuse_other_libraries()
        _remove_unused(base)
        try:
            _unpack_once(here, folder)
        except OSError:  # the disk is full, for instance
            return _for_this_call_only(here)
    try:
        os.utime(folder)
    except OSError:
        pass
    return folder


def _own_folder():
    """A folder in which nobody else can write, None if there can be none."""
    caches = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    folder = os.path.join(caches, "twinhull", "cli")
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        status = os.lstat(folder)
    except OSError:
        return None
    import stat  # noqa: PLC0415

    is_own = stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and not status.st_mode & 0o022
    return folder if is_own and os.access(folder, os.W_OK) else None


def _unpack_once(here, folder):
    """Unpack into a folder. Of several calls at a time, the first to be done wins."""
    import shutil  # noqa: PLC0415
    import tempfile  # noqa: PLC0415

    made = tempfile.mkdtemp(prefix="unpacking-", dir=os.path.dirname(folder))
    try:
        _unpack(here, made)
        os.rename(made, folder)
    except OSError:
        if not os.path.isdir(folder):
            raise
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _unpack(here, folder):
    import zipfile  # noqa: PLC0415

    with zipfile.ZipFile(here) as whole:
        for name in ("any.zip", "cp3%d.zip" % sys.version_info[1]):
            with whole.open(name) as part, zipfile.ZipFile(part) as files:
                files.extractall(folder)


def _for_this_call_only(here):
    import atexit  # noqa: PLC0415
    import shutil  # noqa: PLC0415
    import tempfile  # noqa: PLC0415

    _refuse_other_libraries()
    folder = tempfile.mkdtemp(prefix="twinhull-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    sys.stderr.write("note: twinhull is unpacked for this call only: no folder of your own can be written\n")
    _unpack(here, folder)
    return folder


def _refuse_other_libraries():
    """The parts need glibc, and of a certain version."""
    try:
        library, version = os.confstr("CS_GNU_LIBC_VERSION").split()
    except (AttributeError, OSError, ValueError):
        library, version = "", "0.0"
    if library != "glibc" or tuple(int(part) for part in version.split(".")[:2]) < built.GLIBC:
        _end("twinhull needs glibc %d.%d or later, which this system doesn't have" % built.GLIBC)


def _remove_unused(base):
    """Remove what nobody used for long, and what an unpacking that was ended has left."""
    import shutil  # noqa: PLC0415
    import time  # noqa: PLC0415

    for name in os.listdir(base):
        path = os.path.join(base, name)
        try:
            is_unused = time.time() - os.lstat(path).st_mtime > _UNUSED
        except OSError:
            continue
        if is_unused:
            shutil.rmtree(path, ignore_errors=True)


def _end(message):
    sys.stderr.write("Error: %s\n" % message)
    sys.exit(1)


main()
