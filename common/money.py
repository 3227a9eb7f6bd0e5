"""Money as whole micros (a millionth of the currency unit): no floats, no rounding on the way."""

MICROS = 1_000_000


def format_micros(micros: int, currency: str = "$") -> str:
    """`format_micros(52_400_000)` is `$52.40`; half a cent rounds up."""
    sign = "-" if micros < 0 else ""
    cents = (abs(micros) + 5_000) // 10_000
    return f"{sign}{currency}{cents // 100:,}.{cents % 100:02}"
