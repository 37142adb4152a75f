"""`study`: a table of runs, described by one file."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..domain.errors import ConfigError
from .options import ANALYST, JSON, OPTIMIZER, OPTIMIZER_PROMPTS, SETTINGS, names, stopped
from .screen import hand_over, say
from .show_scenarios import show_study
from .show_study_plan import show_study_plan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..studies.study import Cell, Study


@click.command("study")
@click.argument("file")
@names("--tasks", "Keep only these tasks, by name or domain.")
@names("--targets", "Take these as the unseen tasks of every setting.")
@click.option("--methods", help="Keep only these rows, separated by commas.")
@click.option("--seeds", help="Other seeds, separated by commas.")
@click.option("--test-size", type=int, help="Examples to score on per task, at most.")
@click.option("--model", help="The base model, and the optimizer and analyst too unless --optimizer or --analyst name one.")
@OPTIMIZER
@ANALYST
@OPTIMIZER_PROMPTS
@SETTINGS
@click.option("--store", help="The SQLite file; the study's name with .db if none.")
@click.option("--parallel", type=click.IntRange(1), help="Runs at the same time.")
@click.option(
    "--engine", type=click.Choice(["ray"]), help="Work on the runs on a Ray cluster: docs/cluster.md; in this process if none."
)
@click.option("--output", type=click.Path(file_okay=False, path_type=Path), default=".", help="The folder for the tables.")
@click.option(
    "--part", metavar="K/N", help="Only part K of N, in a store of its own; 'metaspo merge' joins those of all parts."
)
@click.option("--plan", "plan_only", is_flag=True, help="Only list the runs with the calls that each takes at most.")
@JSON
def study_command(file: str, settings: tuple[str, ...], output: Path, plan_only: bool, as_json: bool, **options: Any) -> None:
    """Do what is missing of the study in FILE (or a built-in one by its name) and write its table.

    The table is printed and written as Markdown, CSV and JSON, and with pictures as a page. The same command again goes on with
    what was interrupted; what is done is not done again.
    """
    from ..studies import table as study_table
    from ..studies.plans import without_data
    from ..studies.study import plan_study, read_study, run_study
    from .progress import Several

    name, study = read_study(file, {key: options[key] for key in ("parallel",) if options[key]})
    study = _cut(study, options, settings)
    if options["part"]:
        from .study_part import study_part

        study_part(study, options, plan_only=plan_only, as_json=as_json)
        return
    if plan_only:
        show_study_plan(study)
        return
    if missing := without_data(study):
        raise ConfigError(f"no data on this machine yet of {', '.join(missing)}; run 'metaspo tasks fetch {' '.join(missing)}'")
    cells = plan_study(study)
    reason = run_study(study, cells, Several(quiet=as_json).listen, engine=options["engine"])
    report = study_table.study_report(name, study, cells)
    output.mkdir(parents=True, exist_ok=True)
    forms = {"md": study_table.as_markdown(report), "csv": study_table.as_csv(report), "json": study_table.as_json(report)}
    for ending, text in forms.items():
        (output / f"{name}.{ending}").write_text(text, encoding="utf-8")
    written = [*forms, *(["html"] if _page(name, study, cells, output / f"{name}.html") else [])]
    if as_json:
        hand_over(forms["json"], as_json=True)
    else:
        show_study(report)
        say(f"written: {', '.join(str(output / f'{name}.{ending}') for ending in written)}")
    if reason is not None:
        stopped(reason, "the same command")


def _cut(study: "Study", options: dict[str, Any], settings: tuple[str, ...]) -> "Study":
    """The study as the options of the command line have it."""
    from ..runs.config import nested, parse_setting
    from ..studies.cut import cut

    models = {"base": options["model"], "optimizer": options["optimizer"] or options["model"], "analyst": options["analyst"]}
    named = {key: model for key, model in models.items() if model}
    chosen = nested(dict(parse_setting(text) for text in settings), {**study.config, **named})
    # A part's store is no study's.
    return cut(study, {**options, "store": None} if options["part"] else options, chosen)


def _page(name: str, study: "Study", cells: "Sequence[Cell]", path: Path) -> bool:
    """Write the study's page, if nothing of somebody else's is in its place."""
    from ..reports.pages.file import write_page
    from ..studies.study_page import study_page

    try:
        write_page(study_page(name, study, cells), path)
    except ConfigError as error:
        say(str(error), err=True)
        return False
    return True
