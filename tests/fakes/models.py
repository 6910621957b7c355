"""The models a fake endpoint lists, with what each one's requests are checked against."""

import enum
from dataclasses import dataclass

from tests.fakes.json_value import JsonObject

CREATED = 1_784_160_000


class Family(enum.Enum):
    """Which set of request rules a model has."""

    K26 = "k2.6"  # thinking can be switched
    K27 = "k2.7"  # always thinks; says so with thinking{}
    K3 = "k3"  # always thinks; reasoning_effort
    OPEN = "open"  # self-hosted or behind a gateway: no rules of Moonshot's


@dataclass(frozen=True, slots=True)
class Model:
    """One row of the model table. `default_max_tokens` is charged when a request names no limit."""

    id: str
    family: Family
    context_length: int
    default_max_tokens: int
    has_vision: bool = True

    @property
    def moonshot_row(self) -> JsonObject:
        """The row as Moonshot's GET /v1/models gives it."""
        return {
            "id": self.id,
            "object": "model",
            "created": CREATED,
            "owned_by": "moonshot",
            "context_length": self.context_length,
            "supports_image_in": self.has_vision,
            "supports_video_in": self.has_vision,
            "supports_reasoning": True,
        }


K26 = Model(
    "kimi-k2.6", Family.K26, 262_144, 1024
)  # the documented default differs between pages; the smallest is used
K27 = Model("kimi-k2.7-code", Family.K27, 262_144, 1024)
K3 = Model("kimi-k3", Family.K3, 1_048_576, 131_072)
K31 = Model("kimi-k3.1-pro", Family.K3, 1_048_576, 131_072)
HOSTED = {model.id: model for model in (K26, K27, K3, K31)}


def self_hosted(model_id: str, context_length: int = 262_144) -> Model:
    """A model with no rules but its context window."""
    return Model(model_id, Family.OPEN, context_length, 4096)
