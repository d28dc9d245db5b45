"""What could be saved as JSON, for programs: `tuppence.savings/v1`, as docs/savings.schema.json has it."""

from __future__ import annotations

import json

from bot.digest_json import item_json, plain_json
from bot.savings_answer import SavingsAnswer
from bot.unused_json import unused_json

SCHEMA = "tuppence.savings/v1"


def dump_savings(answer: SavingsAnswer) -> str:
    """The JSON text, in ASCII; recommendations are those of `tuppence.digest/v1`, all of them."""
    told = plain_json(
        {
            "schema": SCHEMA,
            "question": answer.question.text,
            "currency": answer.currency,
            "allocated": answer.allocated,
            "recommendations": [item_json(item) for item in answer.items],
            "under_way": [one._asdict() for one in answer.under_way],
            "left_alone": [row._asdict() for row in answer.left_alone],
            "left_counts": answer.left_counts,
            "left_names": answer.left_names,
            "repositories": answer.repositories,
            "looked_at": answer.looked_at,
            "remarks": answer.remarks,
            "unused": unused_json(answer.unused),
            "notes": answer.notes,
        }
    )
    return json.dumps(told, indent=1) + "\n"
