"""The interleaving explorer: step through a run, and see what each call holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from grader.visuals.interleaving import Item, Lane, Step, steps
from grader.visuals.style import FAILED, INK, PASSED, TINTS
from grader.vocabulary import Run

STEP = Markup(
    '<div role="status" aria-live="polite" style="color:{ink};background:#FFFFFF">'
    "<p><strong>Step {at} of {count}</strong>&ensp;#{number} {title}</p>"
    '<table style="table-layout:fixed;width:100%"><thead><tr>{heads}</tr></thead>'
    "<tbody><tr>{cells}</tr></tbody></table></div>"
)
HEAD = Markup(
    '<th scope="col" style="text-align:left;border-bottom:{line}">{name}'
    '<br><span style="font-weight:normal">{about}</span></th>'
)
CELL = Markup(
    '<td style="text-align:left;vertical-align:top"><em>{state}</em>'
    '<ul style="list-style:none;margin:0;padding:0">{items}</ul></td>'
)
ITEM = Markup(
    '<li style="background:{tint};border-left:4px solid {color};margin:2px 0;'
    'padding:1px 4px">{text} <strong>{mark}</strong></li>'
)
TABLE = Markup(
    "<details><summary>All steps as a table</summary><table><thead><tr>"
    '<th scope="col">number</th><th scope="col">what happens</th>'
    '<th scope="col">what the call holds then</th></tr></thead>'
    "<tbody>{rows}</tbody></table></details>"
)
ROW = Markup(
    '<tr><th scope="row">#{number}</th><td style="text-align:left">{title}</td>'
    '<td style="text-align:left">{holds}</td></tr>'
)
NOTHING = "this run made no call"


@dataclass(slots=True, repr=False, eq=False)
class Explorer:
    """All steps of a run, of which one is shown; `at` counts from 1."""

    caption: str
    steps: tuple[Step, ...]
    at: int
    _widget: Any = field(default=None, init=False)

    def go(self, by: int) -> None:
        """Go forward, or back where `by` is negative, as far as there are steps."""
        self.at = max(1, min(len(self.steps), self.at + by))

    @property
    def step_html(self) -> str:
        """The step that is shown, as HTML."""
        step = self.steps[self.at - 1]
        lanes = list(enumerate(step.lanes))
        shown = STEP.format(
            ink=INK,
            at=self.at,
            count=len(self.steps),
            number=step.number,
            title=step.title,
            heads=Markup("").join(_head(lane, n == step.lane) for n, lane in lanes),
            cells=Markup("").join(_cell(lane) for _, lane in lanes),
        )
        return str(shown)

    @property
    def html(self) -> str:
        """The step that is shown, then all of them as a table."""
        if not self.steps:
            return str(Markup("<p>{}</p>").format(NOTHING))
        rows = Markup("").join(
            ROW.format(number=s.number, title=s.title, holds=_holds(s))
            for s in self.steps
        )
        head = Markup("<p>{}</p>").format(self.caption)
        return str(head + Markup(self.step_html) + TABLE.format(rows=rows))

    @property
    def widget(self) -> Any:
        """The live explorer, made when first asked for."""
        if self._widget is None:
            self._widget = _live(self)
        return self._widget

    def __repr__(self) -> str:
        lines = [self.caption if self.steps else NOTHING]
        for step in self.steps:
            lines.append(f"{'#' + str(step.number):>5}  {step.title}")
            if holds := _holds(step):
                lines.append(f"         {holds}")
        return "\n".join(lines)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        """Offer the widget beside its static forms; a viewer takes what it can."""
        static = {"text/plain": repr(self), "text/html": self.html}
        try:
            live = self.widget._repr_mimebundle_() if self.steps else {}
        except Exception:  # without a frontend the table is all there is
            return static
        data = live[0] if isinstance(live, tuple) else live
        return {**(data or {}), **static}


def explorer(run: Run) -> Explorer:
    """Return the explorer of a run, at the first step where calls have mixed."""
    told = steps(run)
    mixed = [number for number, step in enumerate(told, 1) if step.mixed]
    description = run.description[:1].upper() + run.description[1:]
    found = f"from step {mixed[0]} on, a call holds" if mixed else "no call ever holds"
    return Explorer(f"{description}: {found} what is not its own.", told, 1)


def _head(lane: Lane, changed: bool) -> Markup:
    line = f"3px solid {INK}" if changed else "1px solid"
    return HEAD.format(line=line, name=lane.name, about=lane.about)


def _cell(lane: Lane) -> Markup:
    items = Markup("").join(_item(item) for item in lane.items)
    return CELL.format(state=lane.state, items=items)


def _item(item: Item) -> Markup:
    color = FAILED if item.whose else PASSED
    return ITEM.format(tint=TINTS[color], color=color, text=item.text, mark=item.mark)


def _holds(step: Step) -> str:
    """Return in words what the call that has changed holds; foreign things marked."""
    if step.lane is None or not step.tells:
        return ""
    items = step.lanes[step.lane].items
    return " · ".join(f"{i.text} [{i.mark}]" if i.whose else i.text for i in items)


def _live(shown: Explorer) -> Any:
    """Return two buttons and a slider above the step that is shown."""
    import ipywidgets

    step = ipywidgets.HTML(shown.step_html)
    back = ipywidgets.Button(description="Back", tooltip="One step back")
    forward = ipywidgets.Button(description="Forward", tooltip="One step forward")
    slider = ipywidgets.IntSlider(
        shown.at, 1, len(shown.steps), description="Step", continuous_update=True
    )

    def show(_: Any) -> None:
        shown.at = slider.value
        step.value = shown.step_html
        back.disabled = shown.at == 1
        forward.disabled = shown.at == len(shown.steps)

    def move(by: int) -> None:
        shown.go(by)
        slider.value = shown.at

    back.on_click(lambda _: move(-1))
    forward.on_click(lambda _: move(1))
    slider.observe(show, "value")
    show(None)
    caption = ipywidgets.HTML(str(Markup("<p>{}</p>").format(shown.caption)))
    buttons = ipywidgets.HBox([back, forward, slider])
    return ipywidgets.VBox([caption, buttons, step])
