"""One house with the demo model for all tests of a worker."""

from collections.abc import Iterator

import pytest

from tests.server.door import Door, House


@pytest.fixture(scope="session")
def house() -> Iterator[House]:
    house = House()
    yield house
    house.close()


@pytest.fixture
def door(house: House) -> Iterator[Door]:
    """Open a door with default settings."""
    with house.door() as door:
        yield door
