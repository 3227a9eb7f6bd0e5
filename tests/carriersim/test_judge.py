"""The simulator's judgement: a test of pacing is worth what this is worth."""

import pytest

from carriersim.callbacks import Callbacks
from carriersim.carrier import Carrier, Number
from carriersim.judge import judge


def verdict(arrivals: list[tuple[float, int]], rate: float, lags: list[float] | None = None) -> dict[str, object]:
    carrier = Carrier("token", Callbacks("token"))
    carrier.numbers["+1"] = Number("+1", "AC", rate, arrivals=arrivals)
    carrier.lags = lags or []
    return judge(carrier, ["+1"])


@pytest.mark.parametrize(
    ("arrivals", "rate", "over"),
    [
        ([(0.1 * step, 1) for step in range(30)], 10, 0),
        ([(0.09 * step, 1) for step in range(30)], 10, 3),  # eleven in some sliding second of each
        ([(0.0, 1), (0.5, 1)], 1, 1),
        ([(0.0, 1), (1.0, 1)], 1, 0),  # a second apart is not within a second
        ([(0.0, 3), (3.0, 3), (6.0, 3)], 1, 0),
        ([(0.0, 3), (0.5, 3)], 1, 1),  # rate + k - 1, and one for the network: 4 are allowed, 6 came
    ],
)
def test_over_rate_seconds(arrivals: list[tuple[float, int]], rate: float, over: int) -> None:
    assert verdict(arrivals, rate)["over_rate_seconds"] == over


def test_seconds_in_which_the_simulator_itself_was_late_are_listed_apart() -> None:
    found = verdict([(5.0, 1), (5.5, 1)], 1, lags=[5.2])
    assert (found["over_rate_seconds"], found["over_rate_seconds_while_simulator_lagged"]) == (0, 1)


def test_twice_is_the_same_words_from_the_same_number_to_the_same_phone() -> None:
    carrier = Carrier("token", Callbacks("token"))
    carrier.numbers["+1888"] = Number("+1888", "AC", None)

    def take(phone: str, body: str) -> None:
        carrier.take("AC", {"From": "+1888", "To": phone, "Body": body})

    for phone, body in (("+1205", "a"), ("+1205", "b"), ("+1206", "a"), ("+1205", "a")):
        take(phone, body)
    assert judge(carrier, ["+1888"])["texted_twice"] == 1
