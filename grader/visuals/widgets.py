"""A prediction, committed before the run is seen: a widget, and the same as text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup, escape

from grader.visuals.labels import one_line
from grader.visuals.style import INK, PASSED

CARD = Markup(
    '<section aria-label="Prediction" style="border-left:4px solid {color};'
    'padding:0.25em 0 0.25em 0.75em">'
    "<p><strong>Predict:</strong> {question}</p>"
    '<ul style="list-style:none;padding-left:0.5em">{choices}</ul>{foot}</section>'
)
CHOICE = Markup("<li><strong>{letter}</strong>&ensp;{text}</li>")
FOOT = Markup("<p>{words}</p>")
COMMIT_WITH = Markup("<p>Commit with <code>{call}</code></p>")
QUESTION = Markup("<p><strong>Predict:</strong> {question}</p>")
STATUS = Markup('<p role="status" aria-live="polite" style="color:{ink}">{words}</p>')


@dataclass(slots=True, repr=False, eq=False)
class PredictionCard:
    """A question with lettered choices that can be answered once.

    Args:
        question: what the learner predicts.
        choices: the answers by their letter.
        committed: the letter committed before, or None.
        on_commit: called once with the letter; when it raises, nothing is locked.
        how_to_commit: the call that commits where no widget is live.
    """

    question: str
    choices: Mapping[str, str]
    committed: str | None
    on_commit: Callable[[str], None]
    how_to_commit: str = ""
    _widget: Any = field(default=None, init=False)

    def commit(self, letter: str) -> None:
        """Commit to a choice; later commits change nothing.

        Raises:
            ValueError: there is no such choice.
        """
        if letter not in self.choices:
            known = ", ".join(self.choices)
            raise ValueError(f"expected one of {known}, found {letter!r}")
        if self.committed is None:
            self.on_commit(letter)
            self.committed = letter

    @property
    def outcome(self) -> str:
        """What was predicted, in words; empty before a commit."""
        if self.committed is None:
            return ""
        text = one_line(self.choices.get(self.committed, ""))
        return f"You predicted {self.committed}: {text}"

    @property
    def html(self) -> str:
        """The card without a widget."""
        choices = Markup("").join(
            CHOICE.format(letter=letter, text=text)
            for letter, text in self.choices.items()
        )
        foot: Markup = Markup("")
        if self.outcome:
            foot = FOOT.format(words=self.outcome)
        elif self.how_to_commit:
            foot = COMMIT_WITH.format(call=self.how_to_commit)
        return str(
            CARD.format(
                color=PASSED, question=self.question, choices=choices, foot=foot
            )
        )

    @property
    def widget(self) -> Any:
        """The live card, made when first asked for."""
        if self._widget is None:
            self._widget = _live(self)
        return self._widget

    def __repr__(self) -> str:
        lines = [f"Predict: {one_line(self.question)}"]
        lines += [f"  {key}  {one_line(text)}" for key, text in self.choices.items()]
        if self.outcome:
            lines.append(self.outcome)
        elif self.how_to_commit:
            lines.append(f"Commit with: {self.how_to_commit}")
        return "\n".join(lines)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        """Offer the widget beside its static forms; a viewer takes what it can."""
        static = {"text/plain": repr(self), "text/html": self.html}
        if self.committed is not None and self._widget is None:
            return static
        try:
            live = self.widget._repr_mimebundle_()
        except Exception:  # without a frontend the static card is all there is
            return static
        data = live[0] if isinstance(live, tuple) else live
        return {**(data or {}), **static}


def _live(card: PredictionCard) -> Any:
    """Return radio buttons, a button and a line that says what happened."""
    import ipywidgets

    wide = ipywidgets.Layout(width="auto")
    radios = []
    # A group for each choice: JupyterLab takes the arrow keys, which move inside a
    # group, for itself, and leaves Tab and the space bar.
    for key, text in card.choices.items():
        options = [(f"{key}: {one_line(text)}", key)]
        radio = ipywidgets.RadioButtons(options=options, value=None, layout=wide)
        radio.tooltip = one_line(card.question)
        radios.append(radio)
    choices = ipywidgets.VBox(radios, layout=wide)
    button = ipywidgets.Button(description="Commit", button_style="primary")
    button.tooltip = "Commit to the selected prediction; it cannot be changed later"
    status = ipywidgets.HTML()

    def show(words: str) -> None:
        status.value = str(STATUS.format(ink=INK, words=words))

    def choose(change: Any) -> None:
        if change.new is not None:
            for radio in radios:
                if radio is not change.owner:
                    radio.value = None

    def lock() -> None:
        for control in (*radios, button):
            control.disabled = True
        show(card.outcome)

    def commit(_: Any) -> None:
        chosen = [radio.value for radio in radios if radio.value is not None]
        if not chosen:
            show("Choose an answer first, then commit.")
            return
        try:
            card.commit(chosen[0])
        except Exception as problem:  # it would vanish in the kernel's log
            show(f"Not committed: {problem}")
            return
        lock()

    button.on_click(commit)
    for key, radio in zip(card.choices, radios, strict=True):
        radio.observe(choose, "value")
        if key == card.committed:
            radio.value = key
    if card.committed is not None:
        lock()
    question = ipywidgets.HTML(str(QUESTION.format(question=escape(card.question))))
    return ipywidgets.VBox([question, choices, button, status])
