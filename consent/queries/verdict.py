"""What a walk over a chain comes to."""

from dataclasses import dataclass, field

from consent.rules.seals import EMPTY

MOST_FINDINGS = 20


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it was sealed; `sequence` is the link, `record_id` the record where it is one."""

    sequence: int
    words: str
    record_id: int | None = None

    def __str__(self) -> str:
        return f"Link {self.sequence}: {self.words}"


@dataclass(slots=True)
class Verdict:
    """What the walk over a chain found, the first broken link first; at most MOST_FINDINGS of them.

    `exported`: how many links could be held against what lies outside the database.
    """

    links: int = 0
    records: int = 0
    exported: int = 0
    head: str = EMPTY
    findings: list[Finding] = field(default_factory=list)

    @property
    def unbroken(self) -> bool:
        return not self.findings

    def add(self, sequence: int, words: str, record_id: int | None = None) -> None:
        finding = Finding(sequence, words, record_id)
        if finding not in self.findings:
            self.findings.append(finding)
        if len(self.findings) > 10 * MOST_FINDINGS:
            self.keep_the_first()

    def keep_the_first(self) -> None:
        """Sort by link, and forget what nobody would read."""
        self.findings.sort(key=lambda finding: finding.sequence)
        del self.findings[MOST_FINDINGS:]
