"""Run the demonstration. Exit code 0 only if everything came out right."""

import json
import shutil
import signal
import sys
import time
from pathlib import Path

import click

from plugins.four_seasons.demo import seasons
from plugins.four_seasons.demo.campaign import Demo
from plugins.four_seasons.demo.house import ROOT, DemoError, House, fresh_house
from plugins.four_seasons.demo.seasons import Line


@click.command()
@click.option("--people", type=click.IntRange(min=100), default=136_000, show_default=True, help="Workers in hardship.")
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True)
@click.option("--no-serve", is_flag=True, help="Stop everything when the year is over.")
@click.option("--json", "as_json", is_flag=True, help="End with one JSON object.")
@click.option("--folder", type=click.Path(path_type=Path), default=ROOT / "instance" / "demo", help="Where it lives.")
def main(people: int, port: int, no_serve: bool, as_json: bool, folder: Path) -> None:
    """Replay the four seasons of 2014 for the unions of Shaanxi, and leave the intranet running."""
    for number in (
        signal.SIGINT,
        signal.SIGTERM,
    ):  # SIGINT is ignored in a process that a script put into the background
        signal.signal(number, _stop)
    try:
        with fresh_house(folder.resolve(), port) as house:
            demo = Demo(house, people, click.echo)
            begun = time.monotonic()
            demo.winter()
            table = seasons.replay(demo)
            demo.verify()
            demo.seconds["together"] = round(time.monotonic() - begun, 2)
            wrong = demo.wrong() + [line.wrong for line in table if line.wrong]
            _report(demo, table, wrong, as_json=as_json)
            if not no_serve and not wrong:
                _serve(demo, house)
        if no_serve and not wrong:
            shutil.rmtree(folder)
    except DemoError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        click.echo("stopped", err=True)
        sys.exit(130)
    sys.exit(1 if wrong else 0)


def _stop(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _report(demo: Demo, table: list[Line], wrong: list[str], *, as_json: bool) -> None:
    for sentence in wrong:
        click.echo(f"wrong: {sentence}", err=True)
    if as_json:
        figures = {line.name: line.computed for line in table}
        click.echo(json.dumps({**demo.report, "year_end": figures, "seconds": demo.seconds}))
        return
    click.echo(f"{'together':<12} {demo.seconds['together']:6.2f} s")
    for key, value in demo.report.items():
        click.echo(f"{key:<20} {value}")
    click.echo(f"\n{'year-end 2014':<44} {'computed':>15}   {'the documents say':>15}")
    for line in table:
        click.echo(f"{line.name:<44} {line.computed:>15,}   {line.qualifier:<5} {line.seed:>11,}")


def _serve(demo: Demo, house: House) -> None:
    """Say where to look, and wait for Ctrl-C; ends with :class:`DemoError` when web or worker end by themselves."""
    click.echo(f"\nThe intranet runs at {house.address} — password of everybody: {demo.password}\n", err=True)
    for account in demo.accounts:
        click.echo(f"  {account.username:<14} {account.name}  {account.org}  {account.roles}", err=True)
    click.echo("\nCtrl-C stops everything.", err=True)
    try:
        while True:
            house.check()
            time.sleep(1)
    except KeyboardInterrupt:
        click.echo("\nstopping …", err=True)


if __name__ == "__main__":
    main()
