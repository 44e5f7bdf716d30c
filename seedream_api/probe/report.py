"""What a probe found: open questions with their findings, and the facts to save."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, cast

from ..config.facts import StatedShape
from ..messages import Text, to_chinese


@dataclass(frozen=True)
class Finding:
    """An open question of the documentation, and what the service says to it."""

    question: str
    finding: str
    is_settled: bool
    shape: StatedShape | None = None
    """The error that the service stated, if it is the evidence."""

    def to_json(self) -> dict[str, Any]:
        return {
            "question": self.question,
            "question_zh": to_chinese(self.question),
            "settled": self.is_settled,
            "finding": self.finding,
            "finding_zh": to_chinese(self.finding),
            "evidence": asdict(self.shape) if self.shape else None,
        }


@dataclass
class ProbeReport:
    """Collects the findings of a probe.

    Args:
        learned: fields of :class:`~seedream_api.config.facts.Facts`.
    """

    findings: list[Finding] = field(default_factory=list[Finding])
    learned: dict[str, Any] = field(default_factory=dict[str, Any])
    offered: tuple[str, ...] | None = None
    """Names of the models that the service lists."""
    charged_images: int = 0
    """Images that may have been charged."""

    def settle(self, question: str, finding: str, shape: StatedShape | None = None) -> None:
        self.findings.append(Finding(question, finding, True, shape))

    def leave_open(self, question: str, reason: str, shape: StatedShape | None = None) -> None:
        finding = Text("found_unsettled", reason=reason)
        self.findings.append(Finding(question, finding, False, shape))

    def learn(self, name: str, value: Any) -> None:
        """Add a fact; objects by family or model are joined."""
        if isinstance(value, Mapping):
            before: dict[str, Any] = self.learned.setdefault(name, {})
            before.update(cast("Mapping[str, Any]", value))
        else:
            self.learned[name] = value
