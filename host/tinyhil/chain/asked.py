"""What the compiler says of a model, kept in the user's cache: pre-flight asks it in every run.

To compile a model takes a third of a second and more, most of it for importing bakenn, and the answer is the same as
long as model and compiler are.
"""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import msgspec

from tinyhil import resources, tflite
from tinyhil.artifacts import foreign, hashing, store
from tinyhil.chain.compile import memory_bytes, refusals
from tinyhil.errors import StorageError

_FOLDER = "preflight"


class Refused(msgspec.Struct, frozen=True):
    """An operator that is not computed as it stands.

    Attributes:
        operator: with its place: "operator 3 MUL".
        name: of the operator alone.
        cause: what of it, in words that follow the operator.
        hint: what to do about it; empty for the general advice.
    """

    operator: str
    name: str
    cause: str
    hint: str


class Asked(msgspec.Struct, frozen=True):
    """An answer.

    Attributes:
        refused: nothing where the model is compiled.
        memory_bytes: working memory without state, None where the model is not compiled.
    """

    refused: tuple[Refused, ...]
    memory_bytes: int | None


def ask(data: bytes, *, cmsis: bool, profile: str) -> Asked:
    """What the compiler says of a model.

    Args:
        data: content of the .tflite file.
        cmsis: whether CMSIS-NN's kernels are used where there are some.
        profile: bakenn's name of the CPU.

    Raises:
        ModelError: it is no model.
    """
    key = hashing.of_json(
        {"model": hashing.of_bytes(data), "cmsis": cmsis, "profile": profile, "compiler": sources_sha256()}
    )
    place = resources.user_cache() / _FOLDER / f"{key}.json"
    try:
        return msgspec.json.decode(place.read_bytes(), type=Asked)
    except foreign.UNREADABLE:
        pass  # not asked yet, or not readable: it is asked anew
    found = refusals(data, cmsis=cmsis, profile=profile)
    answer = Asked(
        tuple(Refused(str(each.operator), each.operator.name, each.cause, each.hint) for each in found),
        None if found else memory_bytes(data, cmsis=cmsis, profile=profile),
    )
    try:
        store.make_folder(place.parent)
        store.write_bytes(place, msgspec.json.encode(answer))
    except StorageError:
        pass  # a cache that cannot be written costs time, and nothing else
    return answer


def sources_sha256() -> str:
    """SHA-256 of what decides what the compiler says and makes: its own code, and bakenn's version."""
    own = Path(__file__).parent
    folders = [own, own / "operators", Path(str(tflite.__file__)).parent]
    return hashing.of_json({"sources": hashing.of_sources(folders), "bakenn": version("bakenn")})
