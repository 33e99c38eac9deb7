"""To upload is to start a program of this computer (an SCons script): the firmware itself, or an emulator with it.

The project says which: ``custom_upload_program`` in its platformio.ini. left_running.py has the rest.
"""

import os
import sys

from SCons.Script import Dir, Import

Import("env", "program")

sys.path.insert(0, Dir(".").srcnode().abspath)
from left_running import LeftRunning  # noqa: E402 (which lies beside this script)

left = LeftRunning(os.path.join(env.subst("$PROJECT_WORKSPACE_DIR"), "upload", env.subst("$PIOENV")))


def start(target, source, env):
    return left.start(str(source[0]), env.GetProjectOption("custom_upload_program"))


def stop(*_args, **_kwargs):
    return left.stop()


env.AddPlatformTarget("upload", program, [env.VerboseAction(start, "Starting $SOURCE")], "Upload")
env.AddPlatformTarget("stop", None, [env.VerboseAction(stop, "Stopping the firmware")], "Stop")
