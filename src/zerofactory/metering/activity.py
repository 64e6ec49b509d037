"""What happened (活动数据): from meters (`metered`), from documents (`form`), and whether two say the same (`overlap`)."""

from zerofactory.metering.activity_table import ACTIVITIES, TIERS, FormKind
from zerofactory.metering.form import from_form
from zerofactory.metering.heading import FORM_COLUMNS, form_columns
from zerofactory.metering.metered import from_meters, largest_remainder
from zerofactory.metering.overlap import overlaps

__all__ = [
    "ACTIVITIES",
    "FORM_COLUMNS",
    "TIERS",
    "FormKind",
    "form_columns",
    "from_form",
    "from_meters",
    "largest_remainder",
    "overlaps",
]
