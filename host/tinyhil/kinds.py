"""The kinds of errors that users meet: one catalogue of stable ids.

A kind is one row here: its id, what it means, and what to do next. Each class of ``tinyhil.errors`` has a kind, and
where a class has several causes with different remedies, its raiser names a narrower one:
``raise ConfigError(..., kind=kinds.UNKNOWN_NAME)``. An id is never given to another kind, and never changes.

The hundreds follow the exit codes and the tree of errors: 1 what was given, 2 this computer, 3 the device, 4 the link,
9 tinyhil itself.
"""

from __future__ import annotations

from collections.abc import Iterator

from tinyhil import history_kinds, silence_kinds
from tinyhil.kind import Kind as Kind

BOOT_LOADER = silence_kinds.BOOT_LOADER
CRASHES = silence_kinds.CRASHES
DAMAGED_ANSWERS = silence_kinds.DAMAGED_ANSWERS
FLOW_CONTROL = silence_kinds.FLOW_CONTROL
LINE_ENDINGS = silence_kinds.LINE_ENDINGS
LONG_LOST = silence_kinds.LONG_LOST
NOISE = silence_kinds.NOISE
NOTHING_CAME = silence_kinds.NOTHING_CAME
NOT_SEEN = silence_kinds.NOT_SEEN
OTHER_PROGRAM = silence_kinds.OTHER_PROGRAM
PRINTS_IN_FRAMES = silence_kinds.PRINTS_IN_FRAMES
SEVEN_BITS = silence_kinds.SEVEN_BITS
WENT_SILENT = silence_kinds.WENT_SILENT

NO_HISTORY, HISTORY, NEWER_HISTORY, NO_BASELINE = history_kinds.ALL
INPUT = Kind(
    "TH-100",
    "An input cannot be used",
    2,
    "A value, a file or a set of samples is not what this command or call takes. The message names it.",
    (
        "Compare it with the help of the command (tinyhil COMMAND --help) or the docstring of the call.",
        "Samples are .npz, .npy or .csv files with numbers only, or folders of images; the first axis is the sample.",
    ),
)
USAGE = Kind(
    "TH-101",
    "A command line that is none",
    2,
    "There is no such command or option, an argument is missing, or a value is not of the option's type.",
    ("tinyhil --help lists the commands, and tinyhil COMMAND --help what one takes.",),
)
CONFIG = Kind(
    "TH-110",
    "A setting is wrong",
    2,
    "An option, a recipe or a target asks for something that does not exist or does not go together.",
    ("Correct the setting that the message names; tinyhil COMMAND --help lists the options, docs/design.md the keys.",),
)
UNKNOWN_NAME = Kind(
    "TH-111",
    "An unknown name",
    2,
    "There is no recipe, target, engine or scheme of this name.",
    (
        "tinyhil recipes and tinyhil targets list the known names.",
        "Recipes of your own are read from ./recipes/NAME.toml, targets from ./targets/NAME.toml.",
        "A model file is recognised by its ending: .keras, .h5 or .tflite.",
    ),
)
WRONG_FILE = Kind(
    "TH-112",
    "A recipe or target file is wrong",
    2,
    "A TOML file cannot be read, has an unknown key, or a value of the wrong type.",
    ("The error names the file and the key; docs/design.md, 'Files that users write', lists all keys.",),
)
SAMPLES = Kind(
    "TH-113",
    "Samples do not fit",
    2,
    "Samples are missing, have another shape than the model takes, or contain NaN or infinite values.",
    (
        "Write them with numpy.savez('data.npz', x=..., y=...): x is (samples, ...) as the model takes it.",
        "An .npy file, a .csv file and a folder of images by class do as well; docs/usage.md says what each holds.",
        "Give them with --samples for a model file, with --data to train a recipe on them.",
    ),
)
CONTRADICTION = Kind(
    "TH-114",
    "Options contradict each other",
    2,
    "Two options exclude each other, or an option has no meaning for this kind of model.",
    ("Leave one of them out, as the error says.",),
)
OTHER_VERSION = Kind(
    "TH-115",
    "A file of another version",
    2,
    "A report, a recording or a repro bundle was written by a version of tinyhil with another format, or is damaged.",
    ("Make it again with this version.", "Or read it with the version that wrote it."),
)
NO_REPORT = Kind(
    "TH-116",
    "There is no report yet",
    2,
    "The command needs the report of an earlier run, and the build folder has none.",
    ("Make one: tinyhil run RECIPE --target NAME.", "If it lies elsewhere, name its folder with --build-dir."),
)
CONTRADICTORY_REPORT = Kind(
    "TH-117",
    "A report contradicts itself",
    2,
    "A report.json has figures that no run gives, or that do not go together, such as a pass with wrong outputs.",
    ("It was changed or damaged after it was written: make it again with tinyhil run.",),
)
RECIPE_CODE = Kind(
    "TH-119",
    "The code of a recipe fails",
    2,
    "The Python file beside a recipe raised an exception, ended its process, or returned what cannot be used.",
    (
        "Correct the line that the traceback ends with.",
        "What each function takes and returns is in docs/design.md, 'Files that users write'.",
    ),
)
TOO_MUCH = Kind(
    "TH-118",
    "An input takes more than its limit",
    2,
    "Work on a file takes more memory, or more time of the processor, than a file of its size can need.",
    (
        "Use a smaller model, or fewer samples.",
        "Where the file came from elsewhere, get it again: it may be damaged, or made to do that.",
    ),
)
MODEL = Kind(
    "TH-120",
    "A model cannot be used",
    2,
    "The model file cannot be read, or the engine that was chosen does not compute it.",
    ("tinyhil preflight FILE --target NAME lists what keeps the engine from computing it.",),
)
DAMAGED_MODEL = Kind(
    "TH-121",
    "A model file is damaged",
    2,
    "The file is no TensorFlow Lite or Keras model, was cut off, or its parts contradict one another.",
    ("Export or copy it again.", "A .keras file is saved with model.save('name.keras')."),
)
OTHER_FILE = Kind(
    "TH-124",
    "A file of another kind",
    2,
    "What is named as a model is something else: of another tool, packed, fetched wrongly, or with another ending.",
    (
        "Do what the message says: it names the file for what it is, and the way to one that can be used.",
        "A model is a .keras, .h5 or .tflite file; a recipe is named without an ending.",
    ),
)
REFUSED_MODEL = Kind(
    "TH-122",
    "Pre-flight refuses the model",
    2,
    "The engine lacks an operator of the model, computes it wrongly, or the model is too large for the target.",
    (
        "Each problem has its own next step: another engine, another scheme, a smaller model.",
        "--force runs it in spite of that, and the report says so.",
    ),
)
NOT_FINITE = Kind(
    "TH-123",
    "Weights are no finite numbers",
    2,
    "A weight, a constant or a scale of the model is NaN or infinite. Nothing that is computed from it means anything.",
    (
        "The error names the layer. Train the model again: a lower learning rate, or inputs that are scaled.",
        "If its training was sound, export or save it again.",
    ),
)
BLOCKED = Kind(
    "TH-200",
    "The run was blocked",
    3,
    "The run could not be carried out, so there is no verdict: neither pass nor fail.",
    ("Remove the cause that the error names, and run it again.",),
)
MISSING_TOOL = Kind(
    "TH-210",
    "A program or package is not installed",
    3,
    "The target or the command needs a program or a Python package that is not here.",
    ("Run the command that the error shows.", "tinyhil doctor --target NAME lists all that is missing."),
)
STORAGE = Kind(
    "TH-220",
    "A file or folder cannot be used",
    3,
    "The disk is full, or a file or folder cannot be read or written.",
    ("Free some space, or choose another folder with --build-dir.", "Look at the owner and the rights of the folder."),
)
TOOL = Kind(
    "TH-230",
    "A program failed",
    3,
    "A program that tinyhil ran (training, PlatformIO, a compiler, an interpreter) ended with an error.",
    ("The last lines of its output are shown; -v shows all of it, and the command to run it by hand.",),
)
CRASHED = Kind(
    "TH-233",
    "A library crashed",
    3,
    "A signal has ended a process that tinyhil works in: a library in it has crashed, or memory was short.",
    (
        "The message names the layer where that could be found out: replace that layer.",
        "Where memory was short, close other programs.",
    ),
)
TOO_LARGE = Kind(
    "TH-231",
    "The firmware does not fit the target",
    3,
    "The linked image needs more flash or RAM than the chip has.",
    ("Use a smaller model, another scheme or another target.", "For tflm, tinyhil arena finds the smallest arena."),
)
DIVERGED = Kind(
    "TH-232",
    "Training diverged",
    3,
    "The loss became NaN or infinite.",
    ("Lower the recipe's learning rate.", "Scale the inputs of the training data."),
)
DEVICE = Kind(
    "TH-300",
    "The device cannot be used",
    3,
    "The device did not start, stopped, or is not where it is looked for.",
    ("tinyhil ports lists the serial ports and what answers there.", "-v shows what the device or emulator prints."),
)
NO_BOARD = Kind(
    "TH-301",
    "No board is plugged in",
    3,
    "The target is a board, and no serial port has its USB id, or it is not known which port is meant.",
    ("Plug the board in with a cable that carries data.", "Name its port: --port /dev/ttyACM0 or usb:SERIALNUMBER."),
)
QUARANTINED = Kind(
    "TH-302",
    "The board is quarantined",
    3,
    "Somebody has put the board with this USB serial number into quarantine, so that no run uses it.",
    (
        "Use another board, or release it: tinyhil quarantine --release SERIAL.",
        "tinyhil doctor --target NAME --port PORT checks it all the same; tinyhil quarantine --list shows all of them.",
    ),
)
QUARANTINE_FILE = Kind(
    "TH-303",
    "The list of quarantined boards cannot be read",
    3,
    "The file with the quarantined boards is damaged or may not be read, so nobody knows which boards may be used.",
    ("Mend or remove the file that the error names; TINYHIL_QUARANTINE names another one.",),
)
PORT_BUSY = Kind(
    "TH-310",
    "The port is busy",
    3,
    "Another process has the port open, for example a serial monitor or another run.",
    ("End the process whose PID the error names.",),
)
PORT_LOST = Kind(
    "TH-320",
    "The port went away",
    3,
    "The device was unplugged or reset, or its server ended, and it did not come back in time.",
    ("Look at the cable and the power supply.", "tinyhil verify --resume asks only for what is still missing."),
)
UNANSWERED = Kind(
    "TH-330",
    "The device does not answer",
    3,
    "The port is open, but no answer came in time. It may run other firmware, or speak at another baud rate.",
    ("Flash it: tinyhil flash RECIPE --target NAME.", "tinyhil ports shows what answers on each port."),
)
POWER = Kind(
    "TH-321",
    "The board's power cannot be switched",
    3,
    "The board did not answer any more, and a command of [power] in the target file, such as uhubctl, failed.",
    (
        "Run the command by hand: uhubctl lists the hubs that can switch; it needs permission for their USB devices.",
        "Correct power.off and power.on in the target file, or take [power] out.",
    ),
)
STALE_FIRMWARE = Kind(
    "TH-340",
    "The device runs another build",
    3,
    "The hashes that the device reports are not those of this model or this build.",
    ("Flash it again: tinyhil flash RECIPE --target NAME, or use tinyhil run, which does.",),
)
WRONG_TENSORS = Kind(
    "TH-350",
    "The device describes other tensors",
    3,
    "The hashes are right, but shapes, types or quantization of its tensors are not those of the model.",
    ("Build and flash it again.", "If it stays, it is a fault of the engine or of tinyhil: please report it."),
)
NO_PREPROCESSING = Kind(
    "TH-351",
    "The firmware has no preprocessing to be asked for",
    3,
    "Raw samples were given, and the sketch around the library has registered no function that takes them.",
    (
        "Call tinyhil_preprocess(FUNCTION, RAW) in the sketch, behind tinyhil_setup(): docs/own-firmware.md.",
        "Render the library again with this version, copy it, and build.",
        "Leave out --raw: the model alone is verified then.",
    ),
)
LINK = Kind(
    "TH-400",
    "The link failed",
    3,
    "The two ends of the serial link do not understand each other.",
    ("Flash the device with the firmware of this version.",),
)
LOCAL_LINK = Kind(
    "TH-410",
    "This side used the link wrongly",
    3,
    "A message was to be sent that the protocol does not allow at that point.",
    ("In a test of your own: look at the order of the calls.", "Otherwise please report it."),
)
REMOTE_LINK = Kind(
    "TH-420",
    "The device broke the protocol",
    3,
    "The device sent an ERROR message, or an answer that the protocol does not allow.",
    ("Flash the device with the firmware of this version.", "-v shows what it has sent."),
)
ANY = Kind(
    "TH-001",
    "An error of no kind of its own",
    3,
    "The base of all errors; nothing in tinyhil raises it as such.",
    ("Run the same command with --verbose, which shows what led to it.",),
)
FAULT = Kind(
    "TH-900",
    "A fault of tinyhil",
    4,
    "Something happened that tinyhil does not foresee. It says nothing about the model or the device.",
    (
        "Please report it with the crash report that the message names: GitHub, Issues, New issue.",
        "tinyhil COMMAND --verbose shows the traceback.",
    ),
)


def all_kinds() -> Iterator[Kind]:
    """Every kind, in the order of the ids."""
    yield from sorted((each for each in globals().values() if isinstance(each, Kind)), key=lambda kind: kind.id)


def of_id(text: str) -> Kind | None:
    """The kind with an id, however it is written: TH-111, th111 or 111; None where there is none."""
    digits = text.strip().upper().removeprefix("TH").removeprefix("-")
    return next((kind for kind in all_kinds() if kind.id == f"TH-{digits}"), None)


def page() -> str:
    """docs/errors.md."""
    parts = [
        "# Errors\n\n"
        "Every error has a stable id. `tinyhil explain ID` prints what is written here.\n"
        "In Python, `error.kind` has it. Made by `make errors` from `host/tinyhil/kinds.py`; do not edit it.\n"
    ]
    for kind in all_kinds():
        steps = "".join(f"- {step}\n" for step in kind.steps)
        parts.append(f"\n## {kind.id} {kind.title}\n\n{kind.cause}\nExit code {kind.exit_code}.\n\n{steps}")
    return "".join(parts)
