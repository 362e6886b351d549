"""What nbgrader is told to do beyond its own steps when it makes notebooks."""

from __future__ import annotations

from typing import Any

from nbgrader import utils
from nbgrader.preprocessors import NbGraderPreprocessor

from grader.cells import to_starter

Pair = tuple[Any, dict[str, Any]]


class PlaceStarter(NbGraderPreprocessor):
    """Puts the starter where ClearSolutions has put its stub."""

    def preprocess_cell(self, cell: Any, resources: dict[str, Any], _: int) -> Pair:
        """Uncomment the STARTER regions of a solution cell that has any."""
        if utils.is_solution(cell) and "### BEGIN STARTER" in cell.source:
            cell.source = to_starter(cell.source)
        return cell, resources
