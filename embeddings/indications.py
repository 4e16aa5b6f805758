"""The caveats shown beside every forgery score: the model, its training data and its published accuracy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from crossmedia.embeddings import forgery, spoof
from crossmedia.embeddings.cards import FORGERY, SPOOF

STATEMENT: Final = (
    "A score is an indication, never a verdict: neither a high nor a low one says that something is forged or real."
)


@dataclass(frozen=True)
class Published:
    """A figure as it was printed, on what, and where."""

    figure: str
    of: str
    source: str

    def as_dict(self) -> dict[str, str]:
        return {"figure": self.figure, "of": self.of, "source": self.source}


@dataclass(frozen=True)
class Indication:
    """`inside`: of the data set it was trained on (other recordings of it); `outside`: of others, as far as known to
    us.

    `high`: the score from which an answer says so; what that means here is measured by `crossmedia eval trust`.
    """

    kind: str
    of: str
    model: str
    trained_on: str
    inside: tuple[Published, ...]
    outside: tuple[Published, ...]
    caution: str
    high: float

    def as_dict(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "of": self.of,
            "model": self.model,
            "trained_on": self.trained_on,
            "inside": [one.as_dict() for one in self.inside],
            "outside": [one.as_dict() for one in self.outside],
            "caution": self.caution,
            "high": self.high,
        }


_CELEB: Final = "Li et al., Celeb-DF, CVPR 2020"
INDICATIONS: Final = (
    Indication(
        "forgery",
        "faces exchanged by autoencoders (MesoInception-4)",
        f"{FORGERY.id}@{FORGERY.revision}",
        "Deepfake videos of 2018, collected by the authors",
        (Published("91.7 % right", "pictures of the authors' own set", "Afchar et al., MesoNet, WIFS 2018"),),
        (
            Published("AUC 53.6 %, where 50 % is chance", "Celeb-DF, a picture each", _CELEB),
            Published("AUC 83.0 %", "Deepfakes of FaceForensics++, a picture each", _CELEB),
        ),
        "faces that are generated as a whole, and exchanges made since 2018, are seldom seen; small, blurred and grey "
        "real faces are often taken for forged",
        forgery.HIGH_FORGERY_SCORE,
    ),
    Indication(
        "spoof",
        "speech synthesised or converted (AASIST-L)",
        f"{SPOOF.id}@{SPOOF.revision}",
        "ASVspoof 2019 LA, its training part",
        (
            Published(
                "equal error rate 0.99 %", "ASVspoof 2019 LA, its evaluation part", "Jung et al., AASIST, ICASSP 2022"
            ),
        ),
        (),
        "no figure of this network on another data set is known to us; networks of its kind, trained on the same, miss "
        "tens of percent on recordings found on the internet (Müller et al., Interspeech 2022); telephones and other "
        "rooms can make real voices look made",
        spoof.HIGH_SPOOF_SCORE,
    ),
)
"""By the kind of label that carries its scores."""
