"""A program that an upload leaves running on this computer: the firmware itself, or an emulator with it.

    FOLDER/firmware    what is uploaded: a copy of the linked program
           port        a symbolic link to the serial port that it has opened
           record      its process id, when it was started, and which program it is
           output      what it printed

It outlives the upload, as a board would, and its port is always found under the same path. The next upload ends it
first, and so does ``stop``. It is ended only if it is still this very program: the number of a process that has ended
may belong to another one by now.

Usage:  left_running.py stop FOLDER
"""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time

SECONDS = 10.0  # in which it names its port, and in which it ends
PAUSE = 0.01
PORT_NAMED = re.compile(r" redirected to (\S+)")


def started(pid):
    """When a process was started, in the kernel's ticks since boot; None if there is none, or one that has ended."""
    try:
        with open("/proc/%d/stat" % pid) as stream:
            fields = stream.read().rpartition(") ")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def program_of(pid):
    return os.readlink("/proc/%d/exe" % pid).replace(" (deleted)", "")


def wait(condition):
    end = time.monotonic() + SECONDS
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(PAUSE)
    return True


def place(path, write):
    """Puts something in place so that nobody sees a part of it."""
    fresh = path + ".new"
    if os.path.lexists(fresh):
        os.remove(fresh)
    write(fresh)
    os.replace(fresh, path)


class LeftRunning:
    """What runs for one folder, if anything does."""

    def __init__(self, folder):
        self.folder = folder
        self.firmware, self.port, self.record, self.output = (
            os.path.join(folder, name) for name in ("firmware", "port", "record", "output")
        )

    def running(self):
        """The number of the process that the last upload has started, None if it is not there any more."""
        try:
            with open(self.record) as stream:
                record = json.load(stream)
            pid = int(record["pid"])
            ours = program_of(pid) == record["program"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return pid if ours and started(pid) == record["started"] else None

    def stop(self):
        """Ends it. Returns 1 where it does not end."""
        pid = self.running()
        if pid is not None:
            if not self._end(pid):
                sys.stderr.write("error: process %d does not end\n" % pid)
                return 1
            sys.stdout.write("Stopped process %d\n" % pid)
        for path in (self.port, self.record):
            if os.path.lexists(path):
                os.remove(path)
        return 0

    def start(self, linked, command):
        """Starts ``command``, in which {firmware} stands for a copy of the linked program, in place of what runs."""
        os.makedirs(self.folder, exist_ok=True)
        if self.stop():
            return 1
        place(self.firmware, lambda path: shutil.copy(linked, path))
        argv = [word.replace("{firmware}", os.path.realpath(self.firmware)) for word in shlex.split(command)]
        with open(self.output, "w") as output:
            try:
                child = subprocess.Popen(
                    argv,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    cwd=self.folder,
                    start_new_session=True,
                )
            except OSError as error:
                sys.stderr.write("error: cannot run %s: %s\n" % (argv[0], error.strerror))
                return 1

        def record(path):
            with open(path, "w") as stream:
                program = os.path.realpath(shutil.which(argv[0]) or argv[0])
                json.dump({"pid": child.pid, "started": started(child.pid), "program": program}, stream)

        place(self.record, record)
        if not wait(lambda: self._named() or child.poll() is not None) or child.poll() is not None:
            child.kill()
            with open(self.output) as stream:
                sys.stderr.write("error: the firmware opened no serial port\n" + stream.read())
            return 1
        place(self.port, lambda path: os.symlink(self._named(), path))
        sys.stdout.write("Started process %d, serial port %s -> %s\n" % (child.pid, self.port, self._named()))
        return 0

    def _end(self, pid):
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self.running() != pid:
                return True
            os.kill(pid, number)
            if wait(lambda: self.running() != pid):
                return True
        return False

    def _named(self):
        """The port that the process has named, empty before."""
        with open(self.output) as stream:
            found = PORT_NAMED.search(stream.read())
        return found.group(1) if found else ""


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] != "stop":
        sys.exit(__doc__)
    sys.exit(LeftRunning(sys.argv[2]).stop())
