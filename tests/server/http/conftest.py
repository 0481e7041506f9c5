"""One server for the tests that need nothing special."""

from collections.abc import Iterator

import pytest

from tests.server.door import House
from tests.server.http.web import Web, serving


@pytest.fixture
def web(house: House) -> Iterator[Web]:
    with serving(house) as web:
        yield web
