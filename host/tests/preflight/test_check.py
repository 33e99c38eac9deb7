"""Model files made here, held against engines that compute this and that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from tinyhil import tflite
from tinyhil.artifacts.types import Problem
from tinyhil.errors import ConfigError, ModelError
from tinyhil.preflight import check, nearest, refusal, summary
from tinyhil.targets.model import Target

Build = Callable[..., bytes]
Edit = Callable[[Any], None]
ENGINE = "compiled"


def with_engine(target: Target, **changes: Any) -> Target:
    """The target with an engine that computes something else."""
    engine = msgspec.structs.replace(target.engines[ENGINE], **changes)
    return msgspec.structs.replace(target, engines={ENGINE: engine})


def with_chip(target: Target, **changes: Any) -> Target:
    return msgspec.structs.replace(target, chip=msgspec.structs.replace(target.chip, **changes))


@pytest.fixture
def declared(qemu_m4: Target) -> Target:
    """A target whose engine is known by what its file declares, and takes one input and one output."""
    taken = ("ADD", "CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "MAX_POOL_2D", "PAD", "RESHAPE")
    versions = {"FULLY_CONNECTED": 6}
    return with_engine(qemu_m4, ahead_of_time=False, ops=taken, versions=versions, max_inputs=1, max_outputs=1)


def problems(data: bytes, target: Target) -> tuple[Problem, ...]:
    return check(data, "m.tflite", target, ENGINE)


def kinds(data: bytes, target: Target) -> list[str]:
    return [problem.kind for problem in problems(data, target)]


def per_channel(model: Any) -> None:
    """As TensorFlow exports a Dense layer by default."""
    for tensor in model.subgraphs[0].tensors[1:3]:
        tensor.quantization.scale, tensor.quantization.zeroPoint = [0.25, 0.5], [0, 0]


def custom(model: Any) -> None:
    code = schema.BuiltinOperator.CUSTOM
    model.operatorCodes.append(schema.OperatorCodeT(builtinCode=code, deprecatedBuiltinCode=code, customCode="MyOp"))
    model.subgraphs[0].operators.append(schema.OperatorT(opcodeIndex=1, inputs=[3], outputs=[3]))


def softmax(model: Any) -> None:
    code = schema.BuiltinOperator.SOFTMAX
    model.operatorCodes.append(schema.OperatorCodeT(builtinCode=code, deprecatedBuiltinCode=code))
    model.subgraphs[0].operators += [schema.OperatorT(opcodeIndex=1, inputs=[3], outputs=[3]) for _ in range(6)]


def later(model: Any) -> None:
    model.operatorCodes[0].version = 12


def dynamic(model: Any) -> None:
    for index in (0, 3):
        model.subgraphs[0].tensors[index].shapeSignature = [-1, 3 if index == 0 else 2]


def floats(model: Any) -> None:
    for index in (0, 3):
        model.subgraphs[0].tensors[index].type = schema.TensorType.FLOAT32
        model.subgraphs[0].tensors[index].quantization = None


def float_weights(model: Any) -> None:
    model.subgraphs[0].tensors[1].type = schema.TensorType.FLOAT32
    model.buffers[1].data = [0] * 24


def all_floats(model: Any) -> None:
    floats(model)
    float_weights(model)
    model.subgraphs[0].tensors[2].type = schema.TensorType.FLOAT32


def two_graphs(model: Any) -> None:
    model.subgraphs.append(model.subgraphs[0])


def two_ends(model: Any) -> None:
    model.subgraphs[0].inputs, model.subgraphs[0].outputs = [0, 3], [3, 0]


def batch(model: Any) -> None:
    model.subgraphs[0].tensors[0].shape, model.subgraphs[0].tensors[3].shape = [4, 3], [4, 2]


def scalar(model: Any) -> None:
    model.subgraphs[0].tensors[3].shape = []


def test_a_model_that_the_engine_computes(tiny_model: bytes, declared: Target) -> None:
    assert problems(tiny_model, declared) == ()


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (
            custom,
            [("custom-operator", "operator 1 CUSTOM(MyOp) is not computed by 'compiled'")],
        ),
        (
            softmax,
            [
                (
                    "operator",
                    "operator 1 SOFTMAX, operator 2 SOFTMAX, operator 3 SOFTMAX, operator 4 SOFTMAX and 2 more are not "
                    "computed by 'compiled'",
                )
            ],
        ),
        (
            later,
            [("operator-version", "operator 0 FULLY_CONNECTED has version 12, 'compiled' computes up to version 6")],
        ),
        (dynamic, [("dynamic-shape", "tensor 0 'in', tensor 3 'out' have a dynamic shape, (-1, 3)")]),
        (floats, [("dtype", "tensor 0 'in', tensor 3 'out' are float32, 'compiled' computes int8")]),
        (float_weights, [("dtype", "tensor 1 'weights' is float32, 'compiled' computes int8")]),
        (two_graphs, [("subgraphs", "the model has 2 subgraphs, only one is supported")]),
        (
            two_ends,
            [
                ("inputs-outputs", "the model has 2 inputs (tensor 0 'in', tensor 3 'out'), 'compiled' takes 1"),
                ("inputs-outputs", "the model has 2 outputs (tensor 3 'out', tensor 0 'in'), 'compiled' takes 1"),
            ],
        ),
        (
            batch,
            [
                ("batch", "input tensor 0 'in' has a batch of 4, only 1 is supported"),
                ("batch", "output tensor 3 'out' has a batch of 4, only 1 is supported"),
            ],
        ),
        (scalar, [("interface", "output: tensor 'out' has the shape (), which the link cannot carry")]),
    ],
)
def test_each_problem_is_named_with_its_place(
    build_tflite: Build, declared: Target, edit: Edit, expected: list[tuple[str, str]]
) -> None:
    found = problems(build_tflite(edit), declared)
    assert [(problem.kind, problem.cause) for problem in found] == expected
    assert all(problem.hint for problem in found)


def test_per_channel_dense_is_refused_where_it_is_computed_wrong_and_only_there(
    build_tflite: Build, declared: Target
) -> None:
    data = build_tflite(per_channel)
    (problem,) = problems(data, with_engine(declared, per_channel_dense=False))
    assert problem.kind == "per-channel-dense"
    assert problem.cause == (
        "operator 0 FULLY_CONNECTED has 2 scales (per channel) for its weights, tensor 1 'weights', which 'compiled' "
        "does not compute right"
    )
    assert "--scheme int8" in problem.hint
    assert problems(data, with_engine(declared, per_channel_dense=True)) == ()


def test_floats_with_integer_weights_are_refused_where_both_are_computed(build_tflite: Build, declared: Target) -> None:
    (problem,) = problems(build_tflite(floats), with_engine(declared, dtypes=("int8", "float32")))
    assert problem.kind == "hybrid"
    assert problem.cause == (
        "operator 0 FULLY_CONNECTED has float32 inputs and int8 weights (dynamic range quantization), which 'compiled' "
        "does not compute"
    )
    assert "--scheme int8" in problem.hint


def shorts(model: Any) -> None:
    """Activations of int16, as the scheme int16x8 has them."""
    for index in (0, 3):
        model.subgraphs[0].tensors[index].type = schema.TensorType.INT16


def shorts_and_softmax(model: Any) -> None:
    shorts(model)
    softmax(model)


def test_a_type_may_be_computed_in_some_operators_only(build_tflite: Build, declared: Target) -> None:
    taken = (*declared.engines[ENGINE].ops, "SOFTMAX")
    some = with_engine(declared, ops=taken, also={"int16": ("FULLY_CONNECTED",)})
    assert kinds(build_tflite(shorts), declared) == ["dtype"]
    assert kinds(build_tflite(shorts), some) == []
    assert kinds(build_tflite(floats), some) == ["dtype"]
    (problem,) = problems(build_tflite(shorts_and_softmax), some)
    assert problem.cause == "tensor 3 'out' is int16, 'compiled' computes int8, and int16 in FULLY_CONNECTED"


def test_dense_layers_of_int16_are_taken_from_the_arduino_library(build_tflite: Build, qemu_m4: Target) -> None:
    assert check(build_tflite(shorts), "m.tflite", qemu_m4, "tflm") == ()


def test_other_layers_per_channel_are_no_dense_layers(build_tflite: Build, declared: Target) -> None:
    def edit(model: Any) -> None:
        per_channel(model)
        model.operatorCodes[0].builtinCode = model.operatorCodes[0].deprecatedBuiltinCode = (
            schema.BuiltinOperator.CONV_2D
        )
        model.operatorCodes[0].version = 3

    assert problems(build_tflite(edit), with_engine(declared, per_channel_dense=False)) == ()


def test_what_an_engine_declares_is_what_it_takes(build_tflite: Build, declared: Target) -> None:
    assert kinds(build_tflite(two_ends), with_engine(declared, max_inputs=2, max_outputs=2)) == []
    assert kinds(build_tflite(all_floats), with_engine(declared, dtypes=("int8", "float32"))) == []
    assert kinds(build_tflite(later), with_engine(declared, versions={})) == []
    assert kinds(build_tflite(later), with_engine(declared, versions={"FULLY_CONNECTED": 11})) == ["operator-version"]
    assert kinds(build_tflite(later), with_engine(declared, versions={"FULLY_CONNECTED": 12})) == []
    taken = (*declared.engines[ENGINE].ops, "CUSTOM(MyOp)", "SOFTMAX")
    assert kinds(build_tflite(custom), with_engine(declared, ops=taken)) == []
    assert kinds(build_tflite(softmax), with_engine(declared, ops=taken)) == []


def test_all_problems_are_listed_at_once(build_tflite: Build, declared: Target) -> None:
    def edit(model: Any) -> None:
        for each in (per_channel, custom, later, floats, dynamic, two_graphs):
            each(model)

    small = with_chip(with_engine(declared, per_channel_dense=False), flash_bytes=1, ram_bytes=1)
    found = problems(build_tflite(edit), small)
    one = ["custom-operator", "operator-version", "per-channel-dense", "dtype", "dynamic-shape"]
    assert [problem.kind for problem in found] == ["subgraphs", *one, *one, "flash", "ram"]
    assert [problem.cause.startswith("subgraph 1: ") for problem in found] == [False] * 6 + [True] * 5 + [False] * 2

    error = refusal(found, "m.tflite", ENGINE, "qemu-m4")
    assert isinstance(error, ModelError)
    assert error.exit_code == 2
    heading, *lines = error.message.splitlines()
    assert heading == "m.tflite is not for the engine 'compiled' of qemu-m4, 13 problems:"
    assert lines == [f"  {problem.cause}: {problem.hint}" for problem in found]
    assert "--force" in error.hint


def test_the_budget_is_a_lower_bound_to_the_byte(tiny_model: bytes, declared: Target) -> None:
    """6 weights, 2 biases of 4 bytes; 3 inputs and 2 outputs at once, and two frames."""
    weights, ram = 6 + 2 * 4, 3 + 2 + 2 * declared.link.max_payload
    assert kinds(tiny_model, with_chip(declared, flash_bytes=weights, ram_bytes=ram)) == []
    assert kinds(tiny_model, with_chip(declared, flash_bytes=weights - 1)) == ["flash"]
    assert kinds(tiny_model, with_chip(declared, ram_bytes=ram - 1)) == ["ram"]
    # Where the linker gives static data less than there is, that counts.
    assert kinds(tiny_model, with_chip(declared, ram_bytes=10 * ram, static_ram_bytes=ram)) == []
    assert kinds(tiny_model, with_chip(declared, ram_bytes=10 * ram, static_ram_bytes=ram - 1)) == ["ram"]
    whole = with_engine(declared, whole_file=True)
    assert kinds(tiny_model, with_chip(whole, flash_bytes=len(tiny_model))) == []
    assert kinds(tiny_model, with_chip(whole, flash_bytes=len(tiny_model) - 1)) == ["flash"]
    said = summary(tflite.parse(tiny_model, "m"), declared, ENGINE)
    assert said == f"1 operator, at least {weights:,} B of flash and {ram:,} B of RAM"


def test_the_budget_s_sentences(tiny_model: bytes, declared: Target) -> None:
    flash, ram = problems(tiny_model, with_chip(declared, flash_bytes=10, ram_bytes=20))
    assert flash.cause == "the weights alone would take 14 B of flash, qemu-m4 has 10 B"
    assert ram.cause == (
        "the inputs and outputs of operator 0 FULLY_CONNECTED (5 B) and the link's buffers (4,096 B) would take "
        "4,101 B of RAM, qemu-m4 has 20 B"
    )


def test_an_operator_that_may_work_in_place_needs_its_larger_side_alone(build_tflite: Build, declared: Target) -> None:
    def edit(model: Any) -> None:
        model.operatorCodes[0].builtinCode = model.operatorCodes[0].deprecatedBuiltinCode = (
            schema.BuiltinOperator.RESHAPE
        )
        model.operatorCodes[0].version = 1

    ram = 3 + 2 * declared.link.max_payload
    assert kinds(build_tflite(edit), with_chip(declared, ram_bytes=ram)) == []
    assert kinds(build_tflite(edit), with_chip(declared, ram_bytes=ram - 1)) == ["ram"]


def test_an_engine_that_is_not_there(tiny_model: bytes, declared: Target) -> None:
    with pytest.raises(ConfigError, match="has no engine 'absent'"):
        check(tiny_model, "m", declared, "absent")


def test_the_compiler_is_asked_where_tinyhil_compiles_the_model_itself(build_tflite: Build, qemu_m4: Target) -> None:
    (problem,) = problems(build_tflite(custom), qemu_m4)
    assert (problem.kind, problem.cause) == ("custom-operator", "operator 1 CUSTOM(MyOp) is not computed by 'compiled'")
    assert kinds(build_tflite(later), qemu_m4) == []  # a version is no obstacle where the tensors tell all
    assert kinds(build_tflite(float_weights), qemu_m4) == ["operator"]


def test_the_working_memory_is_known_to_the_byte_where_tinyhil_has_planned_it(
    tiny_model: bytes, qemu_m4: Target
) -> None:
    """3 inputs and 2 outputs, each in a block of 16 bytes."""
    ram = 2 * 16 + 2 * qemu_m4.link.max_payload
    assert kinds(tiny_model, with_chip(qemu_m4, ram_bytes=ram)) == []
    (problem,) = problems(tiny_model, with_chip(qemu_m4, ram_bytes=ram - 1))
    assert problem.kind == "ram"
    assert problem.cause.startswith("the working memory (32 B)")


@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_layer_that_lacks_inputs_is_looked_at(build_tflite: Build, qemu_m4: Target, count: int) -> None:
    """What it lacks is the affair of ``tflite.require_sound``; here it is no fault of ours."""

    def shortened(model: Any) -> None:
        operator = model.subgraphs[0].operators[0]
        operator.inputs = operator.inputs[:count]

    other = with_engine(qemu_m4, ahead_of_time=False, ops=("FULLY_CONNECTED",), dtypes=("int8", "float32"))
    assert isinstance(problems(build_tflite(shortened), other), tuple)


def test_a_refusal_says_what_takes_the_model(build_tflite: Build, qemu_m4: Target) -> None:
    def floats_all(model: Any) -> None:
        all_floats(model)

    data = build_tflite(floats_all)
    near = nearest(data, "m.tflite", qemu_m4)
    assert near[0] == ("qemu-m4", "tflm")
    alone = msgspec.structs.replace(qemu_m4, engines={ENGINE: qemu_m4.engines[ENGINE]})
    assert nearest(data, "m.tflite", alone)[0][0] == "sim"
    error = refusal(problems(data, qemu_m4), "m.tflite", ENGINE, "qemu-m4", near)
    assert error.hint.startswith("--engine tflm takes it")
    assert refusal(problems(data, qemu_m4), "m", ENGINE, "qemu-m4").hint.startswith("fix what is listed: no engine")
    other = with_engine(qemu_m4, ahead_of_time=False, ops=("ADD",))
    assert ("qemu-m4", "tflm") in nearest(build_tflite(lambda _: None), "m.tflite", other)
