"""A review for programs."""

from __future__ import annotations

import json
from typing import Any

from meshctl.review import words
from meshctl.review.review import Review
from meshctl.review.side import Side


def write(review: Review) -> str:
    """One JSON document."""
    before, after = review.pictures()
    data: dict[str, Any] = {
        "mesh": review.title,
        "before": _side(review.before),
        "after": _side(review.after),
        "changed": review.changed,
        "compared": review.comparable,
        "summary": words.counts(review.rows),
        "clusters": {name: words.counts(rows) for name, rows in words.clusters(review.rows).items()},
        "resources": [row.data() for row in review.rows],
        "findings": {
            "new": [dict(item.as_json()) for item in review.new],
            "gone": [dict(item.as_json()) for item in review.gone],
        },
        "risks": [dict(item.as_json()) for item in review.risks],
        "notes": list(review.notes),
        "pictures": {"before": before, "after": after},
    }
    return json.dumps(data, indent=2, default=str, ensure_ascii=False) + "\n"


def _side(side: Side) -> dict[str, Any]:
    return {"label": side.label, "exists": side.exists, "errors": len(side.errors)}
