"""What a .tflite file says, read strictly, without an interpreter and without TensorFlow.

:func:`parse` reads all that the file says; :func:`read` what the link and the verdict need of it, and refuses a model
whose inputs or outputs the link cannot carry. :func:`require_sound` refuses a file whose parts contradict one another.
:func:`rewrite` says in full what a converter leaves out, :func:`cut` ends a model after one of its operators;
:func:`unpack` and :func:`pack` are for other changes. :func:`macs` counts the work of an inference, :func:`bounded`
says which values an operator keeps from the ends of their types.
"""

from tinyhil.tflite.bindings import schema
from tinyhil.tflite.bounded import bounded
from tinyhil.tflite.costs import OperatorFacts, in_order, operator_facts
from tinyhil.tflite.cut import EVERY, Prefix, ancestry, cut, sources, with_outputs
from tinyhil.tflite.interface import MAX_RANK, ModelFacts, read, spec
from tinyhil.tflite.macs import macs
from tinyhil.tflite.model import STATEFUL, Graph, Model, Operator, Tensor, stateful
from tinyhil.tflite.objects import pack, unpack
from tinyhil.tflite.reader import IDENTIFIER, MAX_BYTES, SCHEMA_VERSION, parse
from tinyhil.tflite.rewrite import rewrite
from tinyhil.tflite.soundness import require_sound

__all__ = [
    "EVERY",
    "IDENTIFIER",
    "MAX_BYTES",
    "MAX_RANK",
    "SCHEMA_VERSION",
    "STATEFUL",
    "Graph",
    "Model",
    "ModelFacts",
    "Operator",
    "OperatorFacts",
    "Prefix",
    "Tensor",
    "ancestry",
    "bounded",
    "cut",
    "in_order",
    "macs",
    "operator_facts",
    "pack",
    "parse",
    "read",
    "require_sound",
    "rewrite",
    "schema",
    "sources",
    "spec",
    "stateful",
    "unpack",
    "with_outputs",
]
