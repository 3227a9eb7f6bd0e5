"""What the carrier saw, judged by its own record: who was texted twice, and which seconds were too fast."""

from collections import Counter, deque
from collections.abc import Iterable, Sequence

from carriersim.carrier import Carrier

LAG_REACH = 1.0  # seconds around a lag of our own that are listed apart


def judge(carrier: Carrier, senders: Sequence[str]) -> dict[str, object]:
    """The verdict over some numbers' traffic."""
    asked = set(senders)
    texts = [text for text in carrier.texts.values() if text.outbound and not text.silent and text.sender in asked]
    pairs = Counter((text.sender, text.phone, text.body) for text in texts)
    over, excused, worst = 0, 0, {}
    for sender in senders:
        number = carrier.numbers.get(sender)
        if number is None or number.rate is None:
            continue
        bad, forgiven, highest = _over_rate(number.arrivals, number.rate, carrier.lags)
        over, excused, worst[sender] = over + bad, excused + forgiven, highest
    return {
        "accepted": len(texts),
        "segments": sum(text.segments for text in texts),
        "texted_twice": sum(times - 1 for times in pairs.values()),
        "over_rate_seconds": over,
        "over_rate_seconds_while_simulator_lagged": excused,
        "worst_second": worst,
        "by_status": Counter(text.status for text in texts),
    }


def _over_rate(arrivals: Sequence[tuple[float, int]], rate: float, lags: Sequence[float]) -> tuple[int, int, int]:
    """Seconds above the allowed, those of them in which we ourselves were late, and the fullest second's segments.

    Allowed in any sliding second: the rate with one-segment texts; with texts of up to k segments rate + k - 1, and
    one more for the network.
    """
    largest = max((segments for _, segments in arrivals), default=1)
    allowed = rate if largest == 1 else rate + largest
    window: deque[tuple[float, int]] = deque()
    filled = highest = 0
    over: set[int] = set()
    excused: set[int] = set()
    for at, segments in arrivals:
        window.append((at, segments))
        filled += segments
        while window[0][0] <= at - 1.0:
            filled -= window.popleft()[1]
        highest = max(highest, filled)
        if filled > allowed:
            (excused if _lagged(lags, at) else over).add(int(at))
    return len(over), len(excused - over), highest


def _lagged(lags: Iterable[float], at: float) -> bool:
    return any(at - 1 - LAG_REACH <= lag <= at + LAG_REACH for lag in lags)
