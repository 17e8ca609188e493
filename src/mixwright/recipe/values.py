"""What the parts of a recipe are made of: strict objects, which refuse unknown keys, names, counts and shares.

Shares are exact rationals (`0.1`, `1/3`), so that what is written is what is realised.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, StringConstraints, model_validator

from mixwright.recipe.problems import Problem, problems_error, unknown_keys

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")]
Role: TypeAlias = Literal["domain", "general"]


def _share(value: Any) -> Any:
    """A share as an exact rational from 0.25, '1/3' or Fraction."""
    found = f"found {value!r}, a share is a number above 0 and at most 1"
    try:
        share = Fraction(str(value))
    except (ValueError, ZeroDivisionError):
        raise problems_error([Problem((), found, "Write it as 0.25 or 1/3.")]) from None
    if share <= 0:
        raise problems_error([Problem((), found, "Leave the source out of the shares instead.")])
    if share > 1:
        raise problems_error([Problem((), found, "Write 0.25, not 25.")])
    return share


Seed = Annotated[int, Field(ge=0, lt=1 << 63)]
Count = Annotated[int, Field(ge=1, le=10**15)]  # beyond it lies a typing error, not a data set
Share = Annotated[Fraction, BeforeValidator(_share), PlainSerializer(lambda share: str(share), return_type=str)]


class Strict(BaseModel):
    """Frozen, and an unknown key is an error that names the near match."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_keys(cls, value: Any) -> Any:
        if isinstance(value, dict):
            known = {field.alias or name for name, field in cls.model_fields.items()}
            unknown = [str(key) for key in value if key not in known]
            if unknown:
                raise problems_error(unknown_keys(unknown, sorted(known)))
        return value
