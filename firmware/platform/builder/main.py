"""How PlatformIO builds a tinyhil project for an emulated machine or for the host (an SCons script).

The board file says which compiler (``build.toolchain``, the prefix of its programs' names), with which flags for the
CPU and its C library (``build.machine_flags``) and for the optimiser (``build.optimisation``), both to compile and to
link, with which to link only (``build.link_flags``), and with which linker script (``build.ldscript``, a path in a
library folder of the project's; absent where the system's own is right). Nothing here asks which board it is.

To upload is to start a program, in a project that says which (``custom_upload_program``, process.py).

What was compiled once is shared among projects (objects.py).

The same sources give the same bytes wherever the project lies: no path of this machine, no build id and no date
enters the image. Warnings are each library's own affair (``library.json``), because a generated model must build
without them.
"""

import os
import sys

from SCons.Script import Default, DefaultEnvironment, SConscript

env = DefaultEnvironment()
board = env.BoardConfig()
prefix = board.get("build.toolchain")
machine_flags = board.get("build.machine_flags")
optimisation = board.get("build.optimisation")

if "build.ldscript" in board:
    # Relative to the project, where compiler and linker run: its own path must not matter.
    libraries = [env.GetProjectConfig().get("platformio", "lib_dir"), *env.GetProjectOption("lib_extra_dirs", [])]
    # In a user's own project the script is a part of the one library of tinyhil's.
    folders = [os.path.join(folder, part) for part in ("", "tinyhil") for folder in libraries]
    scripts = [os.path.relpath(os.path.join(folder, board.get("build.ldscript"))) for folder in folders]
    ldscript = next(filter(os.path.isfile, scripts), scripts[0])
    if not os.path.isfile(ldscript):
        sys.stderr.write("error: the project has no linker script %s\n" % ldscript)
        env.Exit(1)
    env.Replace(LDSCRIPT_PATH=ldscript)
    # A script includes what several chips share by its path in the same library.
    scripts = os.path.dirname(os.path.dirname(ldscript))
    env.Append(LINKFLAGS=["-L" + scripts])

# The date that __DATE__ and __TIME__ show: always the same one.
env["ENV"]["SOURCE_DATE_EPOCH"] = "0"

env.Replace(
    AR=prefix + "gcc-ar",
    AS=prefix + "gcc",
    CC=prefix + "gcc",
    CXX=prefix + "g++",
    # The C compiler links: the firmware uses no C++ runtime, so it must build where that library is not installed.
    LINK=prefix + "gcc",
    RANLIB=prefix + "gcc-ranlib",
    ARFLAGS=["rcD"],
    RANLIBFLAGS=["-D"],
    PROGNAME="firmware",
    PROGSUFFIX=".elf",
)

# Link-time optimisation keeps the folder in which a unit was compiled, whatever it is told to replace: so the compiler
# is to know it by a name that is the same in every project. It takes the one in PWD if that leads where it runs.
HERE = "/proc/self/cwd"
env["ENV"]["PWD"] = HERE

reproducible = ["-ffile-prefix-map=%s=." % folder for folder in (env.subst("$PROJECT_DIR"), HERE)]

env.Append(
    ASFLAGS=machine_flags,
    ASPPFLAGS=["-x", "assembler-with-cpp"],
    CCFLAGS=[
        *machine_flags,
        *optimisation,
        "-ffunction-sections",
        "-fdata-sections",
        *reproducible,
    ],
    CFLAGS=["-std=gnu11"],
    CXXFLAGS=["-std=gnu++11", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics"],
    LINKFLAGS=[
        *machine_flags,
        *board.get("build.link_flags"),
        *optimisation,
        # Link-time optimisation compiles, so it needs what keeps paths out of the image as well.
        *reproducible,
        "-Wl,--gc-sections",
        "-Wl,--build-id=none",
        # Relative as well: GCC takes a comma in the project's path for the end of the name.
        "-Wl,-Map,${TARGET.base}.map",
    ],
)

# Sources of a library that need what this platform does not have, such as a framework: the project names them.
for pattern in env.GetProjectOption("custom_leave_out", "").split():
    env.AddBuildMiddleware(lambda _env, _source: None, pattern)

SConscript("objects.py", exports=["env"])  # first: the environments of libraries are copies
program = env.BuildProgram()
if "build.ldscript" in board:
    for folder, _, names in sorted(os.walk(scripts)):
        env.Depends(program, ["#" + os.path.join(folder, name) for name in sorted(names) if name.endswith(".ld")])
Default(program)

if env.GetProjectOption("custom_upload_program", ""):
    SConscript("process.py", exports=["env", "program"])
