"""What a training leaves behind, and who watches it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import keras

from lamarrpy.errors import ArtifactError, ConfigError
from lamarrpy.parameterization.manifest import Kind
from lamarrpy.parameterization.transforms import PerColumn
from lamarrpy.train.loop import History, Learner, Plan, Score, fit
from lamarrpy.train.rows import Source

_IDENTITY = "identity.txt"


@dataclass(frozen=True)
class Learned:
    """A trained model, before it is a folder.

    Attributes
    ----------
    kind : str
        Of parameterization.
    targets : PerColumn or None
        The way from what the network says to physical targets; None if it says them itself.
    network : keras.Model or None
        If there is one.
    model : bytes or None
        ONNX of what is not a Keras network, or of a network that was converted already.
    rows : bytes or None
        Rows that it resamples.
    classes : tuple of float
        Of a classifier.
    """

    kind: Kind
    targets: PerColumn | None = None
    network: keras.Model | None = None
    model: bytes | None = None
    rows: bytes | None = None
    classes: tuple[float, ...] = ()


@dataclass
class Watch:
    """Where trainings leave their checkpoints, and whom they tell how far they are.

    Attributes
    ----------
    folder : Path or None
        For checkpoints, one folder a phase.
    identity : str
        Of recipe and data: a training with another one does not go on from these checkpoints.
    tell : callable or None
        Told the phase, the steps done, the steps in all, and the last figures.
    curves : dict of str to History
        Learning curves of each phase that is over.
    """

    folder: Path | None = None
    identity: str = ""
    tell: Callable[[str, int, int, dict[str, float]], None] | None = None
    curves: dict[str, History] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.folder is None:
            return
        mark = self.folder / _IDENTITY
        if mark.is_file() and mark.read_text(encoding="utf-8") != self.identity:
            raise ArtifactError(
                f"{self.folder}: expected the checkpoints of this recipe and these data, got those of others; delete"
                " that folder to begin anew, or choose another -o"
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        mark.write_text(self.identity, encoding="utf-8")

    def clean(self) -> None:
        """Remove the checkpoints of a training that is over."""
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)

    def fit(self, phase: str, learner: Learner, source: Source, plan: Plan, score: Score | None) -> keras.Model:
        """Train, in view of all, and give the network back.

        Raises
        ------
        ConfigError
            If it is to end for lack of progress, and nothing says what progress is.
        """
        if plan.patience is not None and score is None:
            raise ConfigError(
                f"{phase}: expected a score, of validation rows, with patience {plan.patience}: set training.score, or"
                " leave patience out"
            )
        tell = self.tell
        self.curves[phase] = fit(
            learner,
            source,
            plan,
            score,
            None if self.folder is None else self.folder / phase,
            None if tell is None else lambda step, figures: tell(phase, step, plan.steps, figures),
        )
        return learner.network()
