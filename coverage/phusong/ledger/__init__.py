"""Operators' reports, the ledger of what they say, and the register of gap points."""

from phusong.ledger.events import SUBJECTS
from phusong.ledger.form import Form
from phusong.ledger.given import GIVEN, Given
from phusong.ledger.keep import LedgerBusyError, LedgerError
from phusong.ledger.ledger import Ledger
from phusong.ledger.outcome import Outcome
from phusong.ledger.reporting import Reporting
from phusong.ledger.state import compare
from phusong.ledger.subjects import POINT_SUBJECTS
from phusong.ledger.suspects import SUSPICIOUS_M

__all__ = ["GIVEN", "POINT_SUBJECTS", "SUBJECTS", "SUSPICIOUS_M", "Form", "Given", "Ledger",
           "LedgerBusyError", "LedgerError", "Outcome", "Reporting", "compare"]
