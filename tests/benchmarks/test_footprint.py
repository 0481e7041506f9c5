"""What a satellite adds, from readings."""

from benchmarks.footprint import table


def reading(state: str, satellites: int, cpu: float, mib: float) -> dict[str, object]:
    return {
        "server": "ours",
        "state": state,
        "satellites": satellites,
        "cpu": cpu,
        "proportional_mib": mib,
        "resident_mib": mib + 50,
    }


def test_memory_is_that_of_all_and_cpu_while_speaking_that_of_one() -> None:
    """Eight add 16 MiB while they speak; one alone takes a third of a core."""
    rows = [
        reading("nobody", 0, 0.01, 200.0),
        reading("connected", 8, 0.02, 204.0),
        reading("listening", 8, 0.4, 208.0),
        reading("speaking", 1, 0.33, 209.0),
        reading("speaking", 8, 1.9, 216.0),
    ]
    assert table(rows).rows == [
        ["ours", "200", "0.5", "1.0", "2.0", "1.0", "0.2", "5.0", "33.0", "8"],
    ]
