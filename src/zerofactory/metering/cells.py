"""Cells of a form → values: dates, moments and numbers as people write them; what cannot be read is null."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

DATE_FORMATS = ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y年%m月%d日", "%Y%m%d", "%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M:%S")
_DIGITS_ONLY = "%Y%m%d"
MOMENT_FORMATS = (
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%dT%H:%M",
    "%Y/%m/%d %H:%M:%S%.f",
    "%Y/%m/%d %H:%M",
    "%Y年%m月%d日 %H:%M",
)
OFFSET_FORMATS = ("%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M%#z", "%Y-%m-%d %H:%M%#z")
_GROUPED = r"^[+-]?\d{1,3}(,\d{3})+(\.\d*)?$"


def texts(column: pl.Series) -> pl.Series:
    """Return cells as text without outer blanks; empty cells are null."""
    import polars as pl

    trimmed = column.cast(pl.String).str.strip_chars()
    return trimmed.set((trimmed == "").fill_null(False), None)


def numbers(column: pl.Series) -> pl.Series:
    """Return cells as numbers (``1,234.5`` is read); what is not a finite number is null."""
    import polars as pl

    if column.dtype.is_numeric():
        values = column.cast(pl.Float64)
    else:
        written = texts(column)
        values = written.cast(pl.Float64, strict=False)
        if values.null_count() > written.null_count():
            grouped = pl.DataFrame({"written": written}).select(
                pl.when(pl.col("written").str.contains(_GROUPED)).then(pl.col("written").str.replace_all(",", ""))
            )
            values = values.fill_null(grouped["written"].cast(pl.Float64, strict=False))
    return values.set(values.is_finite().not_().fill_null(False), None)


def dates(column: pl.Series) -> pl.Series:
    """Return cells as dates; what is not a date is null, and so is a moment with a zone: its day depends on the clock."""
    import polars as pl

    if column.dtype == pl.Date:
        return column
    if isinstance(column.dtype, pl.Datetime):
        return column.dt.date() if column.dtype.time_zone is None else pl.Series([None] * len(column), dtype=pl.Date)
    written = texts(column)
    unique = written.unique().drop_nulls()
    read = pl.Series([None] * len(unique), dtype=pl.Date)
    for form in DATE_FORMATS:
        if "%H" in form:
            read = read.fill_null(unique.str.to_datetime(form, strict=False).dt.date())
        elif form == _DIGITS_ONLY:  # 2025011 could be two days: eight digits or none
            eight = unique.set(unique.str.contains(r"^\d{8}$").not_(), None)
            read = read.fill_null(eight.str.to_date(form, strict=False))
        else:
            read = read.fill_null(unique.str.to_date(form, strict=False))
    return _looked_up(written, unique, read)


def moments(column: pl.Series, form: str | None = None) -> tuple[pl.Series, pl.Series]:
    """Return cells as clock times without a zone, and as UTC moments where the text states its offset.

    ``24:00`` is the end of its day. At most one of the two is set for a cell; neither when it cannot be read.
    """
    import polars as pl

    clock, utc = pl.Datetime("us"), pl.Datetime("us", "UTC")
    if isinstance(column.dtype, pl.Datetime):
        if column.dtype.time_zone is None:
            return column.cast(clock), pl.Series([None], dtype=utc).new_from_index(0, len(column))
        stated = column.cast(pl.Datetime("us", column.dtype.time_zone)).dt.convert_time_zone("UTC")
        return pl.Series([None], dtype=clock).new_from_index(0, len(column)), stated
    written = texts(column)
    unique = written.unique().drop_nulls()
    local, stated = _read_moments(unique, form)
    return _looked_up(written, unique, local), _looked_up(written, unique, stated)


def _read_moments(written: pl.Series, form: str | None) -> tuple[pl.Series, pl.Series]:
    import polars as pl

    local = pl.Series([None] * len(written), dtype=pl.Datetime("us"))
    stated = pl.Series([None] * len(written), dtype=pl.Datetime("us", "UTC"))
    midnight = written.str.contains(r"[ T]24:00(:00)?$").fill_null(False)
    plain = written.str.replace(r"([ T])24:00(:00)?$", "${1}00:00${2}")
    for wanted in (form,) if form else MOMENT_FORMATS:
        local = local.fill_null(plain.str.to_datetime(wanted, time_unit="us", strict=False))
        if local.null_count() == 0:
            break
    local = _next_day(local, midnight)
    if form is None and local.null_count():
        zulu = written.str.replace(r"Z$", "+00:00")
        for wanted in OFFSET_FORMATS:
            stated = stated.fill_null(zulu.str.to_datetime(wanted, time_unit="us", strict=False))
    return local, stated


def _next_day(local: pl.Series, mask: pl.Series) -> pl.Series:
    import polars as pl

    if not mask.any():
        return local
    day_us = mask.cast(pl.Int64) * 86_400_000_000
    return (local.to_physical() + day_us).cast(pl.Datetime("us"))


def _looked_up(written: pl.Series, unique: pl.Series, read: pl.Series) -> pl.Series:
    """Return for each cell what its text was read as."""
    import polars as pl

    table = pl.DataFrame({"text": unique, "read": read})
    return pl.DataFrame({"text": written}).join(table, on="text", how="left", maintain_order="left")["read"]
