"""`modelfleet rollout`: follow and steer how a change goes through the fleet, stage by stage."""

import typer

from cli.rollout.following import status, watching
from cli.rollout.past import history, undo
from cli.rollout.steering import approving, pausing, resuming

app = typer.Typer(no_args_is_help=True, help=__doc__)
app.command("status")(status)
app.command("watch")(watching)
app.command("approve")(approving)
app.command("pause")(pausing)
app.command("resume")(resuming)
app.command("undo")(undo)
app.command("history")(history)
