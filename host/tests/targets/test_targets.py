from __future__ import annotations

import re
import shutil
from pathlib import Path

import msgspec
import pytest

from tinyhil.config import toml
from tinyhil.errors import ConfigError
from tinyhil.render import arena
from tinyhil.targets import registry
from tinyhil.targets.model import Target

SHIPPED = sorted(path.stem for path in registry.SHIPPED.glob("*.toml"))
A_SHIPPED_ONE = "qemu-m4"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A user's folder with one target, a copy of a shipped one under a name of its own."""
    text = (registry.SHIPPED / f"{A_SHIPPED_ONE}.toml").read_text()
    (tmp_path / "mine.toml").write_text(text.replace(f'name = "{A_SHIPPED_ONE}"', 'name = "mine"', 1))
    return tmp_path


FACTS = 'facts = "bakenn"\n'


def edit(own: Path, old: str, new: str) -> None:
    path = own / "mine.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_something_ships() -> None:
    assert A_SHIPPED_ONE in SHIPPED


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_file_loads(name: str, tmp_path: Path) -> None:
    target = registry.get(name, user=tmp_path)
    assert target.name == name
    assert target.default_engine in target.engines
    assert target.title
    assert target.honest_about


@pytest.mark.parametrize("name", [name for name in SHIPPED if registry.get(name).emulator is not None])
def test_every_shipped_emulator_can_be_driven(name: str, tmp_path: Path) -> None:
    emulator = registry.get(name, user=tmp_path).emulator
    assert emulator is not None
    ways = ("{firmware}", "{temporary}/firmware", "{flash_image}")
    assert any(way in argument for argument in (emulator.program, *emulator.arguments) for way in ways)
    assert emulator.address or re.compile(emulator.serial_port).groups == 1
    if emulator.address:
        assert any("{port}" in argument for argument in emulator.arguments)
    assert emulator.on_path is None or emulator.on_path.hint


def test_the_esp32_on_an_emulator_is_built_as_the_board(tmp_path: Path) -> None:
    if "esp32" not in SHIPPED:
        pytest.skip("the board esp32 does not ship")
    emulated, board = (registry.get(name, user=tmp_path).build for name in ("qemu-esp32", "esp32"))
    assert emulated == board


def test_no_target_says_more_than_its_measure(tmp_path: Path) -> None:
    for name in SHIPPED:
        measure = registry.get(name, user=tmp_path).measure
        assert measure.unit == "nothing" or (measure.per_tick > 0 and measure.method)


def test_a_users_target_is_found_beside_the_shipped_ones(own: Path) -> None:
    assert registry.get("mine", user=own).name == "mine"
    assert list(registry.paths(own)) == [*SHIPPED, "mine"]


def test_targets_are_frozen(own: Path) -> None:
    target = registry.get("mine", user=own)
    with pytest.raises(AttributeError):
        target.name = "other"  # type: ignore[misc]


def test_unknown_target_names_the_known_ones(own: Path) -> None:
    with pytest.raises(ConfigError, match="unknown target 'nothing'") as caught:
        registry.get("nothing", user=own)
    assert A_SHIPPED_ONE in caught.value.hint
    assert "mine" in caught.value.hint


def test_a_name_is_no_way_out_of_the_folder(own: Path) -> None:
    with pytest.raises(ConfigError, match="unknown target"):
        registry.get("../mine", user=own / "sub")


def test_a_users_file_must_not_take_a_shipped_name(tmp_path: Path) -> None:
    taken = tmp_path / f"{A_SHIPPED_ONE}.toml"
    shutil.copy(registry.SHIPPED / taken.name, taken)
    with pytest.raises(ConfigError, match=f"takes the name of the target '{A_SHIPPED_ONE}'"):
        registry.get(A_SHIPPED_ONE, user=tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('title = "', 'titel = "', r"unknown field `titel`|missing required field `title`"),
        ("[chip]\n", "[chip]\nspeed = 3\n", r"unknown field `speed` - at `\$\.chip`"),
        ("[emulator]\n", "[emulator]\ncolour = 'red'\n", r"unknown field `colour` - at `\$\.emulator`"),
        ('debian = "qemu-system-arm"\n', "", r"`debian` names the package of `program`.*`\$\.emulator`"),
        ('program = "qemu-system-arm"', 'program = "{firmware}"', r"`debian` names the package of `program`"),
        ("[emulator]\n", "[emulator]\ninstall = 'buy one'\n", r"`debian` names the package of `program`"),
        ("[emulator]\n", "[emulator]\naddress = 'socket://x:{port}'\n", r"either `serial_port` or `address` says"),
        ("serial_port = ", "last_words = ", r"either `serial_port` or `address` says"),
        ('"-kernel", "{firmware}"', '"-drive", "{flash_image}"', r"`flash_image` says what"),
        ("arg={terminal}", "arg=x", r"`semihosting` has to tell the firmware its \{terminal\}"),
        ('ports = ["bare_metal", "cortex_m", "cmsdk", "mps2"]', "ports = []", r"length >= 1 - at `\$\.build\.ports`"),
        ('cpu = "cortex-m4"', "cpu = 4", r"Expected `str`, got `int` - at `\$\.chip\.cpu`"),
        ("max_payload = 2048", 'max_payload = "2048"', r"Expected `int`, got `str` - at `\$\.link\.max_payload`"),
        ("max_payload = 2048", "max_payload = 1", r">= \d+ - at `\$\.link\.max_payload`"),
        ("answer_within = 10.0", "answer_within = 0", r"> 0.* - at `\$\.link\.answer_within`"),
        ('unit = "instructions"', 'unit = "seconds"', r"Invalid enum value 'seconds' - at `\$\.measure\.unit`"),
        ('board = "mps2_an386"\n', "", r"missing required field `board` - at `\$\.build`"),
        (
            'facts = "bakenn"\n',
            'facts = "bakenn"\nversions = { CONV_4D = 3 }\n',
            r"`versions` names CONV_4D, which `ops` does not.*`\$\.engines",
        ),
        (
            'facts = "bakenn"\n',
            'facts = "bakenn"\nalso = { int16 = ["CONV_4D"] }\n',
            r"`also` names CONV_4D, which `ops` does not.*`\$\.engines",
        ),
        (
            'facts = "bakenn"\n',
            'facts = "bakenn"\nalso = { int8 = ["ADD"] }\n',
            r"`also` has int8, which `dtypes` has for all operators.*`\$\.engines",
        ),
        (
            'facts = "bakenn"\n',
            'facts = "bakenn"\ndtypes = ["int9"]\n',
            r"Invalid enum value 'int9' - at `\$\.engines\[...\]\.dtypes",
        ),
        ("[engines.compiled]\n", '[engines."Not a name"]\n', r"`\$\.engines`|keys"),
        (
            'default_engine = "compiled"',
            'default_engine = "no-such"',
            r"default_engine 'no-such' is not one of compiled",
        ),
        ('name = "mine"', 'name = "yours"', r"its name is 'yours', but the file is called mine\.toml"),
        ('name = "mine"', 'name = "Mine!"', r"matching regex.*`\$\.name`"),
        ('name = "mine"', "name = mine", r"is not valid TOML"),
    ],
)
def test_a_wrong_file_is_refused_with_file_and_key(own: Path, old: str, new: str, message: str) -> None:
    edit(own, old, new)
    with pytest.raises(ConfigError, match=message) as caught:
        registry.get("mine", user=own)
    assert str(own / "mine.toml") in caught.value.message


def test_a_file_that_is_not_text_is_refused(own: Path) -> None:
    (own / "mine.toml").write_bytes(b"name = '\xff'\n")
    with pytest.raises(ConfigError, match="is not valid TOML"):
        registry.get("mine", user=own)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").mkdir()
    with pytest.raises(ConfigError, match="cannot read"):
        registry.get("mine", user=tmp_path)


def test_what_a_table_says_itself_overrides_the_facts_that_it_names(tmp_path: Path) -> None:
    shipped = registry.get("qemu-m4").engines["tflm"]
    text = (registry.SHIPPED / "qemu-m4.toml").read_text().replace('name = "qemu-m4"', 'name = "mine"')
    (tmp_path / "mine.toml").write_text(text + "per_channel_dense = true\n")
    mine = registry.get("mine", tmp_path).engines["tflm"]
    assert (shipped.per_channel_dense, mine.per_channel_dense) == (False, True)
    assert mine.ops == shipped.ops


@pytest.mark.parametrize("facts", ['"no-such"', "7", "[]"])
def test_facts_that_are_not_there_are_named(tmp_path: Path, facts: str) -> None:
    text = (registry.SHIPPED / "qemu-m4.toml").read_text().replace('name = "qemu-m4"', 'name = "mine"')
    (tmp_path / "mine.toml").write_text(text.replace('facts = "chirale"', f"facts = {facts}"))
    with pytest.raises(ConfigError, match=r"engines\.tflm\.facts is") as caught:
        registry.get("mine", tmp_path)
    assert "bakenn, chirale, esp-tflite-micro" in caught.value.hint


def test_facts_are_complete_with_what_a_target_adds() -> None:
    """Whoever writes a target needs to know nothing of the engine's capabilities."""
    for path in registry.ENGINES.glob("*.toml"):
        facts = toml.read(path)
        assert "per_channel_dense" in facts, path
        assert ("ops" in facts) != facts.get("ahead_of_time", False), path


def boards() -> list[Target]:
    """What is found by a USB id."""
    shipped = [registry.get(name) for name in SHIPPED]
    return [target for target in shipped if target.upload is not None and target.upload.usb]


def test_native_usb_gets_dtr_and_a_converter_does_not() -> None:
    """Without DTR such a core drops what it sends; behind a converter the two lines may lead to reset and boot."""
    native = {"303a", "2341", "2e8a"}
    for target in boards():
        assert target.upload is not None
        of_chip = {number.partition(":")[0] in native for number in target.upload.usb}
        assert of_chip == {target.link.dtr}, target.name
        assert target.link.rts == target.link.dtr


def test_a_platform_and_a_library_are_pinned() -> None:
    """Another version is another compiler, or another kernel."""
    for target in boards():
        assert re.fullmatch(r"\w+@\d+\.\d+\.\d+", target.compiles.platform), target.name
        for engine in target.engines.values():
            assert not engine.library or re.fullmatch(r"[\w/]+@\d+\.\d+\.\d+", engine.library), target.name


def test_no_board_loses_its_fpu() -> None:
    """The builder of nordicnrf52 appends soft floats to what the core says."""
    of_builder = [target for target in boards() if target.compiles.platform.startswith("nordicnrf52@")]
    assert of_builder
    assert all("-mfloat-abi=soft" in target.compiles.unflags for target in of_builder)


def test_an_arena_is_within_what_the_linker_gives() -> None:
    esp32 = registry.get("esp32")
    assert esp32.chip.static_ram < esp32.chip.ram_bytes
    for target in boards():
        if "-DTINYHIL_CORE_MBED" in target.compiles.flags:  # its linker scripts keep a stack behind the static data
            assert target.chip.static_ram < target.chip.ram_bytes, target.name
        for engine in target.engines.values():
            assert arena.most(engine, target.chip) <= target.chip.static_ram
    greedy = msgspec.structs.replace(esp32.engines["tflm"], max_arena=10**9)
    assert arena.most(greedy, esp32.chip) == esp32.chip.static_ram // arena.ALIGNMENT * arena.ALIGNMENT


PAGE = Path(__file__).parents[3] / "docs" / "targets.md"
EXAMPLES = re.findall(r"^```toml\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("text", EXAMPLES, ids=lambda text: text.split('"')[1])
def test_the_examples_of_the_page_are_targets(text: str, tmp_path: Path) -> None:
    name = text.split('"')[1]
    (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
    assert registry.get(name, tmp_path).name == name


def test_the_page_has_every_target_that_ships() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert [name for name in SHIPPED if f"`{name}`" not in page] == []
    assert len(EXAMPLES) == 3


POWER = """
[power]
off = ["uhubctl", "-l", "1-1", "-p", "2", "-a", "off"]
on = ["uhubctl", "-l", "1-1", "-p", "2", "-a", "on"]
"""


def test_the_commands_that_switch_power(own: Path) -> None:
    with (own / "mine.toml").open("a") as file:
        file.write(POWER)
    power = registry.get("mine", user=own).power
    assert power is not None
    assert power.off == ("uhubctl", "-l", "1-1", "-p", "2", "-a", "off")
    for old, new in (
        ("on = [", "again = ["),
        ("off = [", 'off = "uhubctl" #'),
        ('"-a", "on"]', '"-a", "on"]\ncycles = 0'),
    ):
        whole = (own / "mine.toml").read_text()
        edit(own, old, new)
        with pytest.raises(ConfigError, match=r"mine\.toml"):
            registry.get("mine", user=own)
        (own / "mine.toml").write_text(whole)
