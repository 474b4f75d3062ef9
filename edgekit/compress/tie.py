"""Weight tying: an embedding and the output layer of a language model share one matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from edgekit.compress.frame.fine_tuning import FineTuning
from edgekit.compress.frame.step import Applied, Context, LayerChange, StepResult, check_settings, setting, settings_of

if TYPE_CHECKING:
    import keras

    from edgekit.data import Data


@dataclass(frozen=True, slots=True)
class Tie(FineTuning):
    """One matrix where a model looks words up and where it scores them.

    The result is plain Keras: a `ReversibleEmbedding`, called a second time in reverse. Conversion to int8 keeps one
    copy of the matrix. A bias of the output layer stays as a constant.

    When to use:
        A language model whose embedding and output layer are most of its weights.

    Example:
        >>> Tie(keep="mean").epochs
        5

    Source:
        Press and Wolf 2017, "Using the Output Embedding to Improve Language Models", arXiv:1608.05859.
    """

    name: ClassVar[str] = "tie"

    keep: str = setting("output", choices=("output", "embedding", "mean"), help="which numbers the matrix starts with")
    embedding: str = setting("", help='name of the embedding; "" for the one that fits the output layer')
    output: str = setting("", help='name of the output layer; "" for the last Dense that fits an embedding')

    def __post_init__(self) -> None:
        """Check each setting."""
        check_settings(self)

    def apply(self, model: keras.Model, data: Data, context: Context = Context()) -> Applied:
        """Tie a copy of the model and fine-tune it.

        Args:
            model: functional or sequential; never changed.
            data: `x_train` and `y_train` for fine-tuning; without labels there is none.
            context: progress, teacher, checkpoint.

        Returns:
            A functional model, not compiled, and the weights before and after.

        Raises:
            UnknownNameError: a name that no layer has.
            ModelError: the model is subclassed, no output layer fits an embedding, or fine-tuning diverged.
            DataError: the samples or labels do not fit the model.
        """
        from edgekit.compress.frame import training
        from edgekit.compress.layers.model_copy import copy_model
        from edgekit.compress.sharing.tied import as_functional, find_pair, tie

        graph = as_functional(model)
        pair = find_pair(graph, self.embedding, self.output)
        goal = training.targets(model, data, epochs=self.epochs)
        tied = tie(graph, pair, self.keep)
        if goal.reason is None:
            training.fine_tune(tied, goal, self, context, name="tie")
            tied = copy_model(tied)
        one, tuning = pair.parameters, goal.told(self.epochs)
        constant = f"; the bias of {pair.output.name} became a constant" if pair.output.use_bias else ""
        return Applied(
            tied,
            StepResult(
                technique=self.name,
                settings=settings_of(self),
                summary=f"{pair.output.name} reads the {one:,} weights of {pair.embedding.name}, {tuning}{constant}",
                layers=(LayerChange(f"{pair.embedding.name}, {pair.output.name}", "parameters", 2 * one, one),),
                skipped=goal.skipped,
            ),
        )
