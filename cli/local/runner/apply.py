"""Carries out what was planned for a pod; each step may be taken twice."""

import sys
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from signal import SIGKILL, SIGTERM
from typing import assert_never

from msgspec.structs import replace

from cli.local.procfs import Process
from cli.local.runner.addresses import address_for
from cli.local.runner.commands import Command, command, own_variables, programs
from cli.local.runner.exposure import Exposure, forward_of, logs_of
from cli.local.runner.output import note, tail
from cli.local.runner.plan import (
    Action,
    Admit,
    Finish,
    Forget,
    Kill,
    Note,
    Start,
    Terminate,
    Trouble,
)
from cli.local.runner.pods import Container, Pod
from cli.local.runner.prober import Prober
from cli.local.runner.processes import Processes
from cli.local.runner.records import Ending, Record, Records, Run, Stopping
from cli.local.runner.settings import Settings
from cli.local.runner.surroundings import ConfigError, Surroundings, mounts
from fleet.kube.client import Client
from fleet.kube.errors import NotFoundError
from fleet.runtime.clock import Clock

_FAILURES = range(1, 128)
"""Exit codes that a program chose; above them are signals."""
RETRY_SECONDS = 5.0
"""Until a container that could not be started is tried again."""


def process_of(run: Run) -> Process:
    return Process(run.pid, run.started)


class Hands:
    """Does to processes, files and objects what a plan says."""

    def __init__(self, client: Client, settings: Settings, clock: Clock) -> None:
        self._client, self._settings, self._clock = client, settings, clock
        self._exposure = Exposure(client)
        self.records = Records(settings.folder)
        self.processes, self.prober = Processes(), Prober()
        self.troubles: dict[str, Trouble] = {}
        self._path = f"{_install(settings.folder / 'bin')}:{settings.search_path}"

    async def close(self) -> None:
        """Let go of everything; what runs goes on."""
        self.processes.close()
        await self.prober.close()

    async def apply(self, action: Action, pod: Pod | None, uid: str) -> None:
        """Take a step for a pod, or for what is left of one."""
        record = self.records.get(uid)
        match action:
            case Admit() if pod:
                self._admit(pod)
            case Start(number) if pod and record:
                await self._start(pod, record, number)
            case Finish() if pod:
                with suppress(NotFoundError):
                    await self._client.delete(pod, grace_seconds=0)
            case Forget():
                self._forget(uid)
            case Terminate() | Kill() | Note() if record and record.run:
                self._end(action, record, record.run)
            case Admit() | Start() | Finish() | Terminate() | Kill() | Note():
                raise AssertionError(f"{action} without its pod")
            case _:
                assert_never(action)

    def _admit(self, pod: Pod) -> None:
        uid = pod.metadata.uid
        address = address_for(uid, self._settings.network, self.records.addresses)
        now = self._clock()
        self.records.put(Record(uid, pod.namespace, pod.name, address, admitted_at=now))

    def _end(self, action: Terminate | Kill | Note, record: Record, run: Run) -> None:
        process = process_of(run)
        match action:
            case Terminate(deadline, why):
                self.processes.signal(process, SIGTERM)
                run = replace(run, stopping=Stopping(deadline, why))
                self.records.put(replace(record, run=run))
            case Kill():
                self.processes.signal(process, SIGKILL)
            case Note(ending, crashes):
                run = replace(run, ended=self._explained(ending, record, run))
                self.records.put(replace(record, run=run, crashes=crashes))
                self.prober.forget(process)
                self.processes.forget(process)

    def _explained(self, ending: Ending, record: Record, run: Run) -> Ending:
        """Add the end of its output to a failure of its own making."""
        if ending.message or ending.exit_code not in _FAILURES:
            return ending
        return replace(ending, message=tail(self._log(record, run.number)))

    async def _start(self, pod: Pod, record: Record, number: int) -> None:
        engine = pod.engine(self._settings.images)
        if engine is None:
            return
        try:
            what = await self._command(pod, engine, record)
            await self._show(pod, engine, record, number)
            process = self._spawn(what, pod, record, number)
        except (ConfigError, OSError) as error:
            self._hold(record, error)
            return
        self.troubles.pop(record.uid, None)
        run = Run(number, process.pid, process.started, started_at=self._clock())
        before = record.run if record.run and record.run.ended else record.before
        self.records.put(replace(record, run=run, before=before))

    async def _command(self, pod: Pod, engine: Container, record: Record) -> Command:
        home = self.records.home(record.uid)
        surroundings = Surroundings(self._client, pod, record.address)
        variables = await surroundings.variables(engine)
        places = mounts(engine, await surroundings.volumes(home / "volumes"))
        own = own_variables(pod, record.address, home, self._path)
        return command(engine, variables, places, {**own, **self._settings.handed_on})

    async def _show(self, pod: Pod, engine: Container, record: Record, number: int) -> None:
        before = self._log(record, number - 1) if number else None
        logs = logs_of(pod, engine, self._log(record, number), before)
        await self._exposure.show(logs, forward_of(pod, engine, record.address))

    def _spawn(self, what: Command, pod: Pod, record: Record, number: int) -> Process:
        self._log(record, number - 2).unlink(missing_ok=True)
        log = self._log(record, number)
        note(log, f"run {number} of {record.key} on {record.address}", self._clock())
        if passed := ", ".join(each.name for each in pod.spec.init_containers):
            note(log, f"init containers are not run here: {passed}", self._clock())
        return self.processes.start(what, self.records.home(record.uid), log)

    def _hold(self, record: Record, error: Exception) -> None:
        config = isinstance(error, ConfigError)
        reason = "CreateContainerConfigError" if config else "RunContainerError"
        until = self._clock() + timedelta(seconds=RETRY_SECONDS)
        self.troubles[record.uid] = Trouble(reason, str(error), until)

    def _forget(self, uid: str) -> None:
        record = self.records.get(uid)
        if record and record.run:
            self.prober.forget(process_of(record.run))
            self.processes.forget(process_of(record.run))
        self.troubles.pop(uid, None)
        self.records.drop(uid)

    def _log(self, record: Record, number: int) -> Path:
        return self.records.home(record.uid) / f"run-{number}.log"


def _install(folder: Path) -> Path:
    """Write the programs that containers find before all others."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, script in programs(sys.executable).items():
        file = folder / name
        file.write_text(script, encoding="utf-8")
        file.chmod(0o755)
    return folder
