"""Compiled objects that all projects of this user share (an SCons script).

A unit that was compiled once is copied instead: the same source, headers and flags, by the same compiler, whichever
project it lies in. So the second model with a large library compiles only what is its own. Programs are not shared,
each is linked anew.

    PLATFORMIO_CORE_DIR/objects/<compilers>/    the objects; the folder may be removed at any time

Any number of builds may use it at once: an object appears under its name when it is complete. When more than LIMIT
bytes are in it, those go that were not used for the longest time.
"""

import atexit
import contextlib
import hashlib
import os
import re
import subprocess

from SCons.CacheDir import CacheDir
from SCons.Errors import UserError
from SCons.Script import Import

Import("env")

FOLDER = os.path.join(env.subst("$PROJECT_CORE_DIR"), "objects")
LIMIT = 1 << 30
KEPT = LIMIT * 3 // 4  # after a clean-up
# PlatformIO puts a library's objects into a folder that is named by a hash of where the library lies.
PLACE = re.compile(rb"/lib[0-9a-f]{3}/")
PROJECT = env.subst("$PROJECT_DIR").encode()
# By which a user changes where GCC looks for headers, and for its own parts.
VARIABLES = ("CPATH", "C_INCLUDE_PATH", "CPLUS_INCLUDE_PATH", "GCC_EXEC_PREFIX", "COMPILER_PATH")


def said_by(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False).stdout


def compilers():
    """What decides what a unit becomes, beside its source, its headers and its flags: compilers and system headers."""
    found = hashlib.sha256()
    for name in VARIABLES:
        found.update(env["ENV"].get(name, "").encode() + b"\0")
    for name in ("CC", "CXX", "AS"):
        program = env.subst("$" + name)
        library = said_by(program, *env.subst("$CCFLAGS").split(), "-print-file-name=libc.a").strip()
        for words in (said_by(program, "--version"), library, facts(library), facts(env.WhereIs(program) or program)):
            found.update(words + b"\0")
    return found.hexdigest()[:16]


def facts(path):
    """Size and time of a file: another one is there after an upgrade."""
    try:
        found = os.stat(path)
    except OSError:
        return b""
    return b"%d %d" % (found.st_size, found.st_mtime_ns)


class Objects(CacheDir):
    """SCons' cache, for objects only, whose names do not depend on where the project lies."""

    pushed = False

    def cachepath(self, node):
        if not self.is_enabled():
            return None, None
        signature = hashlib.sha256()
        for child in node.children():
            signature.update((child.get_cachedir_csig() or "").encode() + b"\0")
        # The command, with the paths of source and object, which are in the project's folder and relative to it.
        command = node.get_executor().get_contents().replace(PROJECT, b".")
        signature.update(PLACE.sub(b"/lib/", command))
        name = signature.hexdigest()
        folder = os.path.join(self.path, name[:2])
        return folder, os.path.join(folder, name)

    def retrieve(self, node):
        return node.name.endswith(".o") and super().retrieve(node)

    def push(self, node):
        if node.name.endswith(".o"):
            Objects.pushed = True
            super().push(node)


def clean_up():
    """Removes what was not used for the longest time, where there is too much."""
    if not Objects.pushed:
        return
    found = []
    for folder, _, names in os.walk(FOLDER):
        for path in (os.path.join(folder, name) for name in names if len(name) == 64):
            try:
                stat = os.stat(path)
            except OSError:  # another build cleans up too
                continue
            found.append((stat.st_mtime, stat.st_size, path))
    total = sum(size for _, size, _ in found)
    if total <= LIMIT:
        return
    for _, size, path in sorted(found):
        if total <= KEPT:
            break
        total -= size
        with contextlib.suppress(OSError):
            os.remove(path)


try:
    os.makedirs(FOLDER, exist_ok=True)
    env.CacheDir(os.path.join(FOLDER, compilers()), Objects)
except (OSError, UserError):
    pass  # where nothing can be kept, everything is compiled
else:
    atexit.register(clean_up)
