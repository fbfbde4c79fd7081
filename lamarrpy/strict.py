"""Parts of configuration files that refuse keys they do not know, and name the closest one they do."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator

from lamarrpy.errors import did_you_mean


class Strict(BaseModel):
    """A frozen part of a recipe; its fields are the keys that a file may set."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_keys(cls, content: Any) -> Any:
        known = cls.model_fields
        for key in content if isinstance(content, dict) else ():
            if key not in known:
                raise ValueError(f"unknown key {key!r}{did_you_mean(key, known)}; known keys: {', '.join(known)}")
        return content
