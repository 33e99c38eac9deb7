"""The rows of the catalogue for devices that do not answer: one for each reason that what they send tells."""

from __future__ import annotations

from tinyhil.kind import Kind

NOTHING_CAME = Kind(
    "TH-331",
    "Nothing comes from the device",
    3,
    "The port is open, and not one byte arrived: no power, no program, another port, or a cable that only charges.",
    (
        "Press the board's reset button, and look at its cable: it has to carry data.",
        "Flash it: tinyhil flash RECIPE --target NAME.",
        "Native USB sends only with DTR: set link.dtr = true in the target file.",
    ),
)
BOOT_LOADER = Kind(
    "TH-332",
    "The device is in its boot loader",
    3,
    "What arrives are the words of a boot loader: it waits for a download, has no program, or could not start it.",
    (
        "Press reset without the boot button; if nothing changes, flash it: tinyhil flash RECIPE --target NAME.",
        "Where opening the port brings it there, set link.dtr and link.rts to false in the target file.",
    ),
)
CRASHES = Kind(
    "TH-333",
    "The device's program crashes",
    3,
    "The device printed a panic, a fault or a reset by its watchdog: its program ends before it can answer.",
    (
        "Look at the last lines that it said; addresses of code are decoded where the firmware is on this computer.",
        "A stack overflow or a brown-out: a smaller model or arena, or a better power supply.",
        "Flash it again: tinyhil flash RECIPE --target NAME.",
    ),
)
OTHER_PROGRAM = Kind(
    "TH-334",
    "Another program runs on the device",
    3,
    "The device prints readable text and answers nothing: it runs a sketch that is not tinyhil's.",
    ("Flash it: tinyhil flash RECIPE --target NAME.", "Or is it another board's port? tinyhil ports lists them."),
)
NOISE = Kind(
    "TH-335",
    "What the device sends is noise",
    3,
    "Bytes arrive that are neither frames nor text: the baud rate of the port is not that of the device.",
    (
        "Set link.baud in the target file to the rate that the firmware was built with, and flash it again.",
        "Where the rate is right, look at the ground wire and at the levels of the line.",
    ),
)
PRINTS_IN_FRAMES = Kind(
    "TH-336",
    "Something prints inside frames",
    3,
    "The device answers, but text stands inside its frames: another task or an interrupt prints to the same port.",
    (
        "Print to another port, or only between two calls of tinyhil's poll; nothing may print from an interrupt.",
        "ESP32: turn the log off, or send it to another UART.",
    ),
)
LINE_ENDINGS = Kind(
    "TH-337",
    "The line changes ends of lines",
    3,
    "Carriage returns are added to what the device sends: a driver, a port server or a stdio turns LF into CR LF.",
    (
        "Turn the translation of line endings off: raw mode in a port server, no CRLF in the device's stdio.",
        "tinyhil doctor --target NAME --port PORT sends every value of a byte, and says which get lost.",
    ),
)
SEVEN_BITS = Kind(
    "TH-338",
    "The line carries seven bits",
    3,
    "The highest bit of every byte is lost: something on the way is set to 7 data bits, or strips the eighth.",
    ("Set the port server, the converter and the firmware to 8 data bits, no parity (8N1).",),
)
FLOW_CONTROL = Kind(
    "TH-339",
    "The line swallows XON and XOFF",
    3,
    "The bytes 0x11 and 0x13 are lost on the way: software flow control is on.",
    ("Turn software flow control (XON/XOFF) off in the port server or the converter's driver.",),
)
DAMAGED_ANSWERS = Kind(
    "TH-360",
    "Answers arrive damaged",
    3,
    "The device answers, and its frames fail their check: bytes change or get lost on the way to the computer.",
    (
        "Look at the cable, the ground wire and the baud rate; a slower rate (link.baud) may do.",
        "tinyhil doctor --target NAME --port PORT finds out what gets lost.",
    ),
)
LONG_LOST = Kind(
    "TH-361",
    "What is long gets lost",
    3,
    "Short requests are answered, longer ones are not: a buffer on the way is too small, or a USB packet is dropped.",
    (
        "Enlarge the receive buffer: setRxBufferSize before begin, or TINYHIL_RECEIVE_BUFFER in the target file.",
        "Lower link.max_payload in the target file, and flash it again.",
        "Where one inference takes longer than link.answer_within, raise that.",
    ),
)
WENT_SILENT = Kind(
    "TH-362",
    "The device fell silent",
    3,
    "The device has answered, and then stopped: its program hangs, its power failed, or a cable came off.",
    (
        "Look at the last lines that it said, and reset it; tinyhil verify --resume asks only for what is missing.",
        "Where one inference takes longer than link.answer_within, raise that in the target file.",
    ),
)
NOT_SEEN = Kind(
    "TH-363",
    "What was waited for did not come",
    3,
    "The monitor was to wait for a line, and none was like that in time, or before the device's program ended.",
    (
        "Look at what the device has printed: the expression may be meant for other lines.",
        "Give it more time with --timeout, and see that the baud rate is the device's: --baud.",
    ),
)
