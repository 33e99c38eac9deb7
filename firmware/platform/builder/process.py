"""To upload is to start the firmware as a process of this computer (an SCons script).

    .pio/upload/<environment>/firmware    what is uploaded: a copy of the linked program
                              port        a symbolic link to the serial port that it has opened
                              record      its process id and when it was started
                              output      what it printed

The process outlives the upload, as a board would, and its port is always found under the same path. The next upload
ends it first, and so does the target ``stop``. It is ended only if it is still this very program: the number of a
process that has ended may belong to another one by now.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

from SCons.Script import Import

Import("env", "program")

FOLDER = os.path.join(env.subst("$PROJECT_WORKSPACE_DIR"), "upload", env.subst("$PIOENV"))
FIRMWARE, PORT, RECORD, OUTPUT = (os.path.join(FOLDER, name) for name in ("firmware", "port", "record", "output"))
SECONDS = 10.0  # in which it names its port, and in which it ends
PAUSE = 0.01


def started(pid):
    """When a process was started, in the kernel's ticks since boot; None if there is none, or one that has ended."""
    try:
        with open("/proc/%d/stat" % pid) as stream:
            fields = stream.read().rpartition(") ")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def running():
    """The number of the process that the last upload has started, None if it is not there any more."""
    try:
        with open(RECORD) as stream:
            record = json.load(stream)
        pid = int(record["pid"])
        ours = os.readlink("/proc/%d/exe" % pid).replace(" (deleted)", "") == os.path.realpath(FIRMWARE)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return pid if ours and started(pid) == record["started"] else None


def wait(condition):
    end = time.monotonic() + SECONDS
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(PAUSE)
    return True


def end(pid):
    for number in (signal.SIGTERM, signal.SIGKILL):
        if running() != pid:
            return True
        os.kill(pid, number)
        if wait(lambda: running() != pid):
            return True
    return False


def stop(*_args, **_kwargs):
    pid = running()
    if pid is not None:
        if not end(pid):
            sys.stderr.write("error: process %d does not end\n" % pid)
            return 1
        sys.stdout.write("Stopped process %d\n" % pid)
    for path in (PORT, RECORD):
        if os.path.lexists(path):
            os.remove(path)
    return 0


def place(path, write):
    """Puts something in place so that nobody sees a part of it."""
    fresh = path + ".new"
    if os.path.lexists(fresh):
        os.remove(fresh)
    write(fresh)
    os.replace(fresh, path)


def named():
    """The port that the process has named, empty before."""
    with open(OUTPUT) as stream:
        found = re.search(r"serial port redirected to (\S+)\n", stream.read())
    return found.group(1) if found else ""


def start(target, source, env):
    os.makedirs(FOLDER, exist_ok=True)
    if stop():
        return 1
    place(FIRMWARE, lambda path: shutil.copy(str(source[0]), path))
    with open(OUTPUT, "w") as output:
        child = subprocess.Popen(
            [os.path.realpath(FIRMWARE)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=FOLDER,
            start_new_session=True,
        )

    def record(path):
        with open(path, "w") as stream:
            json.dump({"pid": child.pid, "started": started(child.pid)}, stream)

    place(RECORD, record)
    if not wait(lambda: named() or child.poll() is not None) or child.poll() is not None:
        child.kill()
        with open(OUTPUT) as stream:
            sys.stderr.write("error: the firmware opened no serial port\n" + stream.read())
        return 1
    place(PORT, lambda path: os.symlink(named(), path))
    sys.stdout.write("Started process %d, serial port %s -> %s\n" % (child.pid, PORT, named()))
    return 0


env.AddPlatformTarget("upload", program, [env.VerboseAction(start, "Starting $SOURCE")], "Upload")
env.AddPlatformTarget("stop", None, [env.VerboseAction(stop, "Stopping the firmware")], "Stop")
