"""Small portfolios whose best plan can be found by trying everything."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.planning.toys import portfolio_of

from zerofactory.planning.portfolio import Portfolio


@pytest.fixture
def make() -> Callable[..., Portfolio]:
    """Return a function that makes a portfolio of toys."""
    return portfolio_of
