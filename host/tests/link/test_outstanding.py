"""How long silence is borne, when a line loses much."""

from __future__ import annotations

import pytest

from tinyhil.link.connection import Connection
from tinyhil.link.frames import encode_frame
from tinyhil.link.outstanding import ROUND_TRIPS, SOONEST

from .by_hand import device, ready, requests, vectors
from .device_role import DeviceRole


def connection_of_pace(round_trip: float, count: int = 1) -> tuple[Connection, DeviceRole]:
    """A connection on which a request of ``count`` vectors took so long, from time 0 on."""
    role = device()
    connection = ready(role, resend_after=1.0, max_tries=1000)
    connection.infer(vectors(count), count, 0.0)
    (answer,) = role.receive(connection.data_to_send())
    connection.receive(answer, round_trip)
    return connection, role


def test_what_is_overtaken_again_and_again_is_waited_for_no_longer() -> None:
    """Bad luck with a device that is heard all the time says nothing of its pace."""
    role = device()
    connection = ready(role, resend_after=1.0, max_tries=1000)
    unlucky = connection.infer(vectors(1), 1, 0.0)
    connection.data_to_send()
    for _ in range(6):
        connection.infer(vectors(1), 1, 0.0)
        # The new request is answered after the guess, so no short round trip is known; the unlucky one is lost again.
        (new,) = (sent for sent in requests(connection) if sent.sequence != unlucky)
        (answer,) = role.receive(encode_frame(new))
        connection.receive(answer, 0.9)
    assert connection.counters.resends == 6
    assert connection.next_timeout(0.9) == pytest.approx(1.8), "two round trips, and nothing is doubled"


@pytest.mark.parametrize(("round_trip", "wait"), [(0.001, SOONEST), (0.1, ROUND_TRIPS * 0.1), (0.4, 1.0), (0.9, 1.8)])
def test_a_known_round_trip_shortens_the_wait(round_trip: float, wait: float) -> None:
    connection, _ = connection_of_pace(round_trip)
    connection.infer(vectors(1), 1, 10.0)
    assert connection.next_timeout(10.0) == pytest.approx(wait)


def test_the_wait_for_a_device_whose_pace_is_known_grows_up_to_the_guess() -> None:
    connection, _ = connection_of_pace(0.001)
    connection.infer(vectors(1), 1, 10.0)
    now, waits = 10.0, []
    for _ in range(6):
        wait = connection.next_timeout(now)
        assert wait is not None
        waits.append(wait)
        now += wait + 1e-6
        connection.on_time(now)
    assert waits == pytest.approx([0.2, 0.4, 0.8, 1.0, 1.0, 1.0], abs=1e-3)


def test_a_larger_request_may_take_longer() -> None:
    connection, _ = connection_of_pace(0.001)
    connection.infer(vectors(2), 2, 10.0)
    assert connection.next_timeout(10.0) == pytest.approx(1.0, abs=0.01)


def test_an_answer_to_one_of_two_copies_tells_no_round_trip_and_ends_no_row_of_silences() -> None:
    role = device()
    connection = ready(role, resend_after=1.0)
    connection.infer(vectors(1), 1, 0.0)
    (late,) = role.receive(connection.data_to_send())
    connection.on_time(1.0)
    connection.receive(late, 1.001)
    connection.infer(vectors(1), 1, 10.0)
    assert connection.next_timeout(10.0) == pytest.approx(2.0)
    *_, answer = role.receive(connection.data_to_send())
    connection.receive(answer, 10.001)
    connection.infer(vectors(1), 1, 20.0)
    assert connection.next_timeout(20.0) == pytest.approx(SOONEST)


def test_beyond_five_silences_in_a_row_the_wait_grows_beyond_the_guess() -> None:
    connection, _ = connection_of_pace(0.001)
    connection.infer(vectors(1), 1, 10.0)
    now, waits = 10.0, []
    for _ in range(9):
        wait = connection.next_timeout(now)
        assert wait is not None
        waits.append(wait)
        now += wait + 1e-6
        connection.on_time(now)
    assert waits[5:] == pytest.approx([1.0, 2.0, 4.0, 8.0], abs=1e-3)


def test_silence_repeats_one_request_at_a_time_and_the_oldest_first() -> None:
    """A window that is repeated as a whole doubles the queue of a device that is only slow."""
    connection = ready(device(), resend_after=1.0, max_tries=1000)
    tickets = [connection.infer(vectors(1), 1, 0.0) for _ in range(3)]
    connection.data_to_send()
    now, repeated = 0.0, []
    for _ in range(4):
        wait = connection.next_timeout(now)
        assert wait is not None
        now += wait + 1e-6
        connection.on_time(now)
        repeated += [sent.sequence for sent in requests(connection)]
    assert repeated == [*tickets, tickets[0]]
    assert now == pytest.approx(1.0 + 2.0 + 4.0 + 8.0, abs=1e-3)


def test_silence_begins_when_a_request_has_left() -> None:
    connection = ready(device(), resend_after=1.0)
    connection.infer(vectors(1), 1, 0.0)
    connection.data_to_send()
    connection.handed_over(3.0)
    assert connection.on_time(3.5) == []
    assert connection.counters.resends == 0
    connection.on_time(4.0)
    assert connection.counters.resends == 1


def test_what_is_known_to_be_lost_is_sent_anew_at_once_and_in_order() -> None:
    """And as for the first time: its answer is a round trip, and no copy of it queues at the device."""
    connection, role = connection_of_pace(0.001)
    tickets = [connection.infer(vectors(1), 1, 10.0) for _ in range(3)]
    connection.data_to_send()
    connection.on_time(20.0)
    connection.data_to_send()
    connection.set_line_rate(1e6)  # which is when it is known
    connection.send_anew(30.0)
    anew = requests(connection)
    assert [sent.sequence for sent in anew] == tickets
    assert connection.next_timeout(30.0) == pytest.approx(SOONEST, abs=1e-3)
    for sent in anew:
        (answer,) = role.receive(encode_frame(sent))
        connection.receive(answer, 30.3)
    connection.infer(vectors(1), 1, 40.0)
    assert connection.next_timeout(40.0) == pytest.approx(1.0, abs=1e-3), "the guess, for 0.3 s were seen"


def test_recordings_of_format_1_are_repeated_by_fixed_times() -> None:
    connection = ready(device(), resend_after=1.0, adaptive=False)
    for _ in range(3):
        connection.infer(vectors(1), 1, 0.0)
    connection.data_to_send()
    connection.on_time(1.0)
    assert connection.counters.resends == 3
    assert connection.next_timeout(1.0) == pytest.approx(2.0)
