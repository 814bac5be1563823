"""Findings: what is wrong or doubtful in a document, said before the first resource is made.

The shape follows `istioctl analyze`: a stable number, a severity, the place, the reason, the fix and a page.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

DOCS = "docs/findings"
"""Where the pages of the findings are in the repository, and on the site that `make docs` builds."""


class Severity(StrEnum):
    """`error` stops before anything is created; `warning` is printed and the program goes on."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, order=True)
class Finding:
    """One numbered remark about one place of the document."""

    code: str
    """`MESH` and three digits; never reused for another rule."""
    severity: Severity
    place: str
    """Path in the document, such as `clusters[1].network`."""
    reason: str
    """What is wrong and what would come of it."""
    fix: str
    """What to change."""

    @property
    def page(self) -> str:
        """The page that explains the rule with an example."""
        return f"{DOCS}/{self.code}.md"

    def __str__(self) -> str:
        return f"{self.code} {self.severity} at {self.place}: {self.reason}\n    fix: {self.fix}\n    see: {self.page}"

    def as_json(self) -> Mapping[str, str]:
        """The finding for machines: code, severity, place, reason, fix, page."""
        return {
            "code": self.code,
            "severity": self.severity.value,
            "place": self.place,
            "reason": self.reason,
            "fix": self.fix,
            "page": self.page,
        }


class FindingsError(ValueError):
    """Raised with all findings at once when at least one of them is an error."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        errors = sum(f.severity is Severity.ERROR for f in self.findings)
        head = f"the mesh document has {errors} error{'' if errors == 1 else 's'}; nothing was created"
        super().__init__("\n".join([head, *(str(f) for f in self.findings)]))
