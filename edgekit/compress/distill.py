"""Distillation: a smaller model, the student, learns to do what a larger one, the teacher, does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from edgekit.compress.frame.fine_tuning import FineTuning
from edgekit.compress.frame.step import Applied, Context, LayerChange, StepResult, check_settings, setting, settings_of
from edgekit.errors import DataError, ModelError, UsageError

if TYPE_CHECKING:
    import keras

    from edgekit.compress.frame.training import Targets
    from edgekit.compress.students.imitation import Part
    from edgekit.compress.students.student import Student
    from edgekit.data import Data

    Skipped = tuple[tuple[str, str], ...]

_AUTO = ("auto",)
_DERIVED = ("half_layers", "narrower")


@dataclass(frozen=True, slots=True)
class Distill(FineTuning):
    """Trains a student on a teacher's outputs, features and attention, and on the labels where there are any.

    The loss is (1 - from_teacher) x that of the labels + from_teacher x that of the teacher's softened outputs +
    features x the relative squared error of layers' outputs + attention x the distance of where both look. The
    teacher runs over the data once, before the training.

    Pairs of layers are written "teacher_layer -> student_layer"; one name stands for both where they are called the
    same. "auto" pairs the ends of repeated blocks.

    When to use:
        There is a better model than the one that shall ship, or many samples without labels. Half the layers with the
        teacher's weights is the surest student of a transformer.

    Example:
        >>> Distill(student="half_layers", features=0.5).temperature
        2.0

    Source:
        Hinton et al. 2015, "Distilling the Knowledge in a Neural Network", arXiv:1503.02531 (outputs); Romero et al.
        2015, "FitNets", arXiv:1412.6550 (features); Zagoruyko and Komodakis 2017, arXiv:1612.03928, and Wang et al.
        2020, "MiniLM", arXiv:2002.10957 (attention).
    """

    name: ClassVar[str] = "distill"

    teacher: str = setting("", help="a .keras file; empty is the model that the recipe started from")
    student: str = setting("", help="a .keras file, half_layers, narrower, or empty: the model as it came in")
    width: float = setting(0.5, low=0.01, below=1, help="share of the channels that the narrower student keeps")
    from_teacher: float = setting(0.9, low=0, high=1, help="share of the teacher's outputs; the labels have the rest")
    features: float = setting(1.0, low=0, high=1e6, help="weight of the layers' outputs; 0 leaves them out")
    feature_layers: tuple[str, ...] = setting(_AUTO, help='"teacher_layer -> student_layer", or auto')
    attention: float = setting(0.0, low=0, high=1e6, help="weight of the attention maps or scores; 0 leaves them out")
    attention_layers: tuple[str, ...] = setting(_AUTO, help="convolutions or MultiHeadAttention, or auto")

    def __post_init__(self) -> None:
        """Check each setting."""
        check_settings(self)

    def apply(self, model: keras.Model, data: Data, context: Context = Context()) -> Applied:
        """Train the student.

        Args:
            model: a built model of one input and one output; never changed. Derived students are derived from it.
            data: `x_train`, and `y_train` where there are labels: the teacher alone teaches too.
            context: the teacher, progress, checkpoint.

        Returns:
            The student, a plain model, not compiled.

        Raises:
            UsageError: no teacher, a teacher of another input or output shape, or pairs that do not fit.
            UnknownNameError: a pair names a layer that is not there.
            DataError: the samples or labels do not fit, or nothing is left to learn from.
            ModelError: a file cannot be read, the student cannot be derived, or the training diverged.
        """
        import keras

        from edgekit.compress.frame import training
        from edgekit.compress.layers.model_copy import copy_model
        from edgekit.compress.students import imitation

        teacher = copy_model(self._teacher(model, context))
        made = self._student(model)
        if _names(teacher) != _names(model):
            # The pairs speak of the model that the student is derived from; this teacher is another one.
            made = replace(made, pairs=())
        # For the projections; the training sets it again.
        keras.utils.set_random_seed(self.seed)
        source, target = (imitation.graph_of(each, data.x_train) for each in (teacher, made.model))
        _require_alike(source, target)
        goal = training.targets(made.model, data, epochs=self.epochs)
        untrained = (("training", "epochs is 0"),)
        skipped = untrained if self.epochs == 0 else self._train(source, target, made, goal, context)
        student = copy_model(made.model)
        return Applied(student, self._report(model, student, made, skipped))

    def _teacher(self, model: keras.Model, context: Context) -> keras.Model:
        if self.teacher:
            return _load(self.teacher)
        if context.teacher is not None:
            return context.teacher
        if self.student == "":
            raise UsageError(
                "distill: there is neither a teacher nor a student beside the model",
                hint='set teacher to a .keras file, or student to a .keras file, "half_layers" or "narrower"',
            )
        return model

    def _student(self, model: keras.Model) -> Student:
        """Make the student: a model of its own, which the training may change."""
        from edgekit.compress.layers.model_copy import copy_model
        from edgekit.compress.students import student

        match self.student:
            case "half_layers":
                return student.half_layers(model)
            case "narrower":
                from edgekit.compress.students.narrower import narrower

                return narrower(model, self.width)
            case "":
                return student.Student(copy_model(model), (), "the model as it came in")
            case path:
                return student.Student(_load(path), (), Path(path).name)

    def _train(
        self, source: keras.Model, target: keras.Model, made: Student, goal: Targets, context: Context
    ) -> Skipped:
        """Train the student's graph on what the teacher's gives; return what was left out, and why."""
        import keras

        from edgekit.compress.frame import training
        from edgekit.compress.students import imitation

        parts, skipped = self._parts(source, target, made, goal)
        values: list[Any] = list(imitation.teacher_values(source, parts, goal.x))
        outputs = [part.student for part in parts]
        losses: list[Any] = [part.loss(value) for part, value in zip(parts, values, strict=True)]
        weights = [part.weight for part in parts]
        if goal.reason is not None:
            skipped += (("labels", f"{goal.reason}: only the teacher teaches"),)
        elif self.from_teacher < 1:
            outputs, values = [target.output, *outputs], [goal.y, *values]
            losses, weights = [goal.loss, *losses], [1 - self.from_teacher, *weights]
        if not outputs:
            raise DataError(
                f"distill: nothing to learn from: {goal.reason}, and from_teacher, features and attention are 0",
                hint="give labels, or set from_teacher above 0",
            )
        trainee = keras.Model(target.inputs[0], outputs)
        training.fit(trainee, goal.x, values, losses, self, context, name=self.name, loss_weights=weights)
        return skipped

    def _parts(
        self, teacher: keras.Model, student: keras.Model, made: Student, goal: Targets
    ) -> tuple[list[Part], Skipped]:
        """Collect what the student imitates."""
        from edgekit.compress.students import imitation, pairs

        parts: list[Part] = []
        skipped: Skipped = ()
        if self.from_teacher > 0:
            share = self.from_teacher if goal.reason is None else 1.0
            parts.append(imitation.output_part(teacher, student, goal.loss, self.temperature, share))
        kinds = (
            ("features", self.features, self.feature_layers, pairs.feature_pairs, imitation.feature_parts),
            ("attention", self.attention, self.attention_layers, pairs.attention_pairs, imitation.attention_parts),
        )
        for kind, weight, names, find, make in kinds:
            if weight == 0:
                continue
            chosen = find(teacher, student, made.pairs) if names == _AUTO else tuple(_pair(name) for name in names)
            if chosen:
                parts += make(teacher, student, chosen, weight)
            else:
                skipped += ((kind, f"no pair of layers found: name them in {kind.rstrip('s')}_layers"),)
        return parts, skipped

    def _report(self, model: keras.Model, student: keras.Model, made: Student, skipped: Skipped) -> StepResult:
        if self.student in _DERIVED:
            sizes = _sizes(model), _sizes(student)
        else:
            sizes = {model.name: model.count_params()}, {model.name: student.count_params()}
        changes = tuple(
            LayerChange(name, "parameters", before, sizes[1].get(name, 0))
            for name, before in sizes[0].items()
            if before != sizes[1].get(name, 0)
        )
        tuning = "not trained" if self.epochs == 0 else f"{self.epochs} epochs with a teacher"
        before, after = model.count_params(), student.count_params()
        summary = f"student ({made.summary}): {before:,} -> {after:,} parameters, {tuning}"
        return StepResult(self.name, settings_of(self), summary, changes, skipped)


def _pair(text: str) -> tuple[str, str]:
    first, _, second = (part.strip() for part in text.partition("->"))
    return first, second or first


def _names(model: keras.Model) -> list[str]:
    return [layer.name for layer in model.layers]


def _sizes(model: keras.Model) -> dict[str, int]:
    return {layer.name: layer.count_params() for layer in model.layers if layer.count_params()}


def _load(path: str) -> keras.Model:
    from edgekit.tflite import keras_models

    return keras_models.load(Path(path))


def _require_alike(teacher: keras.Model, student: keras.Model) -> None:
    """Refuse what cannot be compared."""
    for end in ("input", "output"):
        for model in (teacher, student):
            count = len(getattr(model, f"{end}s"))
            if count != 1:
                raise ModelError(
                    f"distill: model {model.name!r} has {count} {end}s, expected 1",
                    hint="distill models of one input and one output",
                )
        wanted, given = (tuple(getattr(model, f"{end}_shape")[1:]) for model in (teacher, student))
        if wanted != given:
            raise UsageError(
                f"distill: the teacher's {end} is {list(wanted)}, the student's {list(given)}",
                hint="teacher and student must do the same task",
            )
