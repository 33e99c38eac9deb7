"""Work in a real child process: its result, its errors, its end, and its noise."""

from __future__ import annotations

import os
import signal
import sys
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tinyhil import errors, kinds, worker
from tinyhil.errors import CrashError, TinyhilError, ToolError

Call = Callable[..., dict[str, Any]]

HEAD = """
import os, signal, sys
from tinyhil import errors, kinds, worker
"""


class Recorder:
    """A reporter that remembers."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    def progress(self, done: int, total: int, note: str = "") -> None:
        self.events.append((done, total, note))

    def command(self, argv: Sequence[str]) -> None:
        self.events.append(list(argv))

    def text(self, line: str) -> None:
        self.events.append(line)


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def call(
    tmp_path: Path, child_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, recorder: Recorder
) -> Call:
    """Calls a worker whose module is the given source: the body of ``work``, or a whole module."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), child_environment["PYTHONPATH"]]))

    def run(body: str, request: dict[str, Any] | None = None, *, module: bool = False) -> dict[str, Any]:
        body = textwrap.dedent(body)
        work = "def work(request, reporter):\n" + textwrap.indent(body, "    ") + "\nworker.serve(work)\n"
        (tmp_path / "planted.py").write_text(HEAD + (body if module else work))
        return worker.call("planted", request or {}, what="do the work", reporter=recorder)

    return run


def test_a_worker_that_is_kept_remembers(call: Call, recorder: Recorder) -> None:
    call(
        "global seen; seen = 1 + globals().get('seen', 0); return {'seen': seen, 'got': request['text']}", {"text": ""}
    )
    with worker.Worker("planted", what="do the work", reporter=recorder) as child:
        assert child.ask({"text": "one"}) == {"seen": 1, "got": "one"}
        assert child.ask({"text": "x" * (1 << 20)}) == {"seen": 2, "got": "x" * (1 << 20)}
        child.finish()


def test_a_worker_that_dies_between_two_requests(call: Call, recorder: Recorder) -> None:
    call("return dict(pid=os.getpid())")
    with worker.Worker("planted", what="do the work", reporter=recorder) as child:
        os.kill(child.ask({})["pid"], signal.SIGKILL)
        with pytest.raises(ToolError, match="could not do the work: the process ended with signal SIGKILL"):
            child.ask({"text": "x" * (1 << 20)})


def test_a_worker_that_is_closed_leaves_no_child(call: Call, recorder: Recorder) -> None:
    call("return dict(pid=os.getpid())")
    with worker.Worker("planted", what="do the work", reporter=recorder) as child:
        pid = child.ask({})["pid"]
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_result_comes_back(call: Call, recorder: Recorder) -> None:
    request = {"text": "Würfel\n\u2028", "list": [1, 2.5, None, True], "deep": {"a": {}}}
    assert call("return {'got': request}", request) == {"got": request}
    assert recorder.events == [[sys.executable, "-m", "planted"]]


def test_a_request_and_a_result_larger_than_a_pipe(call: Call) -> None:
    text = "x" * (1 << 20)
    assert call("return {'twice': 2 * request['text']}", {"text": text}) == {"twice": 2 * text}


def test_progress_and_text_arrive_in_order(call: Call, recorder: Recorder) -> None:
    call(
        """
        reporter.progress(1, 3)
        reporter.text("a line")
        reporter.command(["program", "argument"])
        reporter.progress(2, 3, "a note")
        return {}
        """
    )
    assert recorder.events[1:] == [(1, 3, ""), "a line", "program argument", (2, 3, "a note")]


@pytest.mark.parametrize("kind", [errors.ModelError, errors.MissingToolError, errors.StorageError, errors.ConfigError])
def test_an_error_is_raised_again(call: Call, kind: type[TinyhilError]) -> None:
    with pytest.raises(TinyhilError) as caught:
        call(f"raise errors.{kind.__name__}('cause: ü', hint='next\\nstep', detail='evidence')")
    assert type(caught.value) is kind
    assert caught.value.kind is kind.kind
    assert caught.value.message == "cause: ü"
    assert caught.value.hint == "next\nstep"
    assert caught.value.detail == "evidence"


def test_an_error_keeps_its_narrower_kind(call: Call) -> None:
    with pytest.raises(errors.ToolError) as caught:
        call("from tinyhil import kinds; raise errors.ToolError('cause', kind=kinds.DIVERGED)")
    assert caught.value.kind is kinds.DIVERGED


@pytest.mark.parametrize(
    ("number", "name", "next_step"),
    [
        (signal.SIGSEGV, "signal SIGSEGV", "leave out layer by layer"),
        (signal.SIGABRT, "signal SIGABRT", "leave out layer by layer"),
        (signal.SIGKILL, "signal SIGKILL", "where memory is short"),
        (signal.SIGTERM, "signal SIGTERM", "start again"),
        (signal.SIGRTMIN + 3, f"signal {signal.SIGRTMIN + 3}", "leave out"),  # it has no name
    ],
)
def test_a_crash_is_named_by_its_signal_and_has_a_next_step(call: Call, number: int, name: str, next_step: str) -> None:
    with pytest.raises(CrashError) as caught:
        call(f"print('last words', flush=True); os.kill(os.getpid(), {int(number)})")
    assert caught.value.message == f"could not do the work: the process ended with {name}"
    assert "last words" in caught.value.detail
    assert next_step in caught.value.hint


def test_an_exit_without_a_result(call: Call) -> None:
    with pytest.raises(ToolError, match="the process ended with exit code 7") as caught:
        call("print('last words'); sys.exit(7)")
    assert "last words" in caught.value.detail
    assert not isinstance(caught.value, CrashError)
    assert caught.value.hint


def test_an_end_without_a_result_is_no_success(call: Call) -> None:
    with pytest.raises(ToolError, match="the process ended with exit code 0"):
        call("print('never mind')", module=True)


def test_an_exception_that_is_not_ours_leaves_its_traceback(call: Call) -> None:
    with pytest.raises(ToolError, match="exit code 1") as caught:
        call("return {'x': 1 / 0}")
    assert "ZeroDivisionError" in caught.value.detail


def test_a_crash_after_the_result_is_a_crash(call: Call) -> None:
    """A library that crashes when it is torn down may have left its files half written."""
    with pytest.raises(ToolError, match="signal SIGABRT"):
        call("worker.serve(lambda request, reporter: {})\nos.abort()", module=True)


def test_an_error_is_the_cause_even_if_the_end_is_rough(call: Call) -> None:
    with pytest.raises(errors.ModelError, match="the cause"):
        call(
            """
            def work(request, reporter):
                raise errors.ModelError("the cause")
            worker.serve(work)
            os.abort()
            """,
            module=True,
        )


def test_a_module_that_is_not_there(recorder: Recorder) -> None:
    with pytest.raises(ToolError, match="exit code 1") as caught:
        worker.call("tinyhil.no_such_child", {}, what="do the work", reporter=recorder)
    assert "No module named tinyhil.no_such_child" in caught.value.detail


def test_a_child_that_dies_before_it_reads(call: Call) -> None:
    """The request is longer than a pipe holds, so writing it fails; the child's own words are the cause."""
    with pytest.raises(ToolError, match="exit code 3") as caught:
        call("print('cannot go on', flush=True); os._exit(3)", {"text": "x" * (1 << 20)}, module=True)
    assert "cannot go on" in caught.value.detail


def test_the_noise_of_libraries_stays_text(call: Call, recorder: Recorder) -> None:
    result = call(
        """
        print("to standard output", flush=True)
        os.write(2, b"to standard error\\n\\n")
        reporter.progress(1, 2)
        os.write(1, b"unfinished")
        reporter.progress(2, 2)
        os.write(2, b"\\xff not UTF-8\\n{}\\n")
        os.write(2, b"before the result")
        return {"x": 1}
        """
    )
    assert result == {"x": 1}
    assert recorder.events[1:] == [
        "to standard output",
        "to standard error",
        (1, 2, ""),
        "unfinished",
        (2, 2, ""),
        "\ufffd not UTF-8",
        "{}",
        "before the result",
    ]


@pytest.mark.parametrize("said", ["@tinyhil nonsense", '@tinyhil {"result": {"x": 2}}', '@tinyhil  {"progress": 1}'])
def test_what_only_looks_like_an_answer_is_noise(call: Call, recorder: Recorder, said: str) -> None:
    assert call("print(request['said'], *os.environ, flush=True); return {'x': 1}", {"said": said}) == {"x": 1}
    (text,) = recorder.events[1:]
    assert text.startswith(said)
    assert "TINYHIL_CHILD" not in text


def test_what_a_child_leaves_behind_does_not_hold_its_parent_up(call: Call) -> None:
    with pytest.raises(ToolError, match="the process ended with exit code 0") as caught:
        call(
            """
            import subprocess
            left = subprocess.Popen(["sleep", "1000"], start_new_session=True)
            print(left.pid, flush=True)
            os._exit(0)
            """
        )
    os.kill(int(caught.value.detail), signal.SIGKILL)


def test_noise_is_the_evidence_of_a_failure(call: Call) -> None:
    with pytest.raises(ToolError) as caught:
        call(
            """
            os.write(1, b"before")
            reporter.progress(1, 2)
            os.write(1, b"after")
            os._exit(1)
            """
        )
    assert [line for line in caught.value.detail.splitlines() if line] == ["before", "after"]


def test_the_child_computes_the_same_on_every_desk(call: Call) -> None:
    environment = call("return dict(os.environ)")
    assert environment["TF_ENABLE_ONEDNN_OPTS"] == "0"
    assert environment["CUDA_VISIBLE_DEVICES"] == "-1"


def test_an_interrupt_leaves_no_child(call: Call, recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    def interrupt(line: str) -> None:
        seen.append(int(line))
        raise KeyboardInterrupt

    monkeypatch.setattr(recorder, "text", interrupt)
    with pytest.raises(KeyboardInterrupt):
        call("print(os.getpid(), flush=True); signal.pause()")
    with pytest.raises(ProcessLookupError):
        os.kill(seen[0], 0)
