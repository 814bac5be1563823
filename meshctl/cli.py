"""The `mesh` command. What a command needs is imported when it runs, so that help and mistakes answer at once."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from meshctl.rows import Report

Command = Callable[..., Any]


def _stacks(ctx: click.Context, parameter: click.Parameter, begun: str) -> Any:
    from meshctl.completion import stacks

    return stacks(ctx, parameter, begun)


_stack = click.option(
    "--stack", "-s", required=True, envvar="PULUMI_STACK", help="Stack to work on.", shell_complete=_stacks
)
_cwd = click.option(
    "--cwd",
    "-C",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=".",
    help="Folder of the project; default: here.",
)
_write = click.option(
    "--write",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write the documents there, each as a file of the stack.",
)
_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")


_state = click.option(
    "--state",
    type=click.Path(dir_okay=False, path_type=Path),
    help="State file of the local engine; default: .pulumi-local/<project>/<stack>.json in the project.",
)
_engine = click.option(
    "--engine",
    type=click.Choice(["local", "pulumi"]),
    help="Default: pulumi if it is on PATH, else local.",
)


def _options(command: Command) -> Command:
    for option in reversed(
        (
            _stack,
            _cwd,
            _state,
            _engine,
            _json,
        )
    ):
        command = option(command)
    return command


_yes = click.option("--yes", "-y", is_flag=True, help="Do not ask.")


_ELSEWHERE = {
    "check": ("meshctl.check.commands", "check"),
    "diff": ("meshctl.review.command", "diff"),
    "graph": ("meshctl.graph.commands", "graph"),
    "import": ("meshctl.importing.command", "import_"),
    "lab": ("meshctl.lab.commands", "lab"),
    "render": ("meshctl.rendering.command", "render"),
    "verify": ("meshctl.verify.commands", "verify"),
}
"""Command to the module that has it, and its name there."""


class _Lazy(click.Group):
    """Mounts commands of other modules without importing them before they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *_ELSEWHERE})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _ELSEWHERE:
            return super().get_command(ctx, cmd_name)
        module, name = _ELSEWHERE[cmd_name]
        command: click.Command = getattr(import_module(module), name)
        return command


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="mesh-components", prog_name="mesh")
def main() -> None:
    """Preview, apply and look at multicluster Istio meshes."""


@main.command()
@_options
@click.option("--properties", is_flag=True, help="Show what would be created with all that it consists of.")
@click.option(
    "--without-credentials", is_flag=True, help="Clusters whose kubeconfig is not at hand are compared with the state."
)
def preview(**options: Any) -> None:
    """Show what `up` would do; changes nothing."""
    _run("preview", yes=True, **options)


@main.command()
@_options
@_yes
@click.option(
    "--skip-preview", is_flag=True, help="Act at once, without showing first what would be done; needs --yes."
)
def up(**options: Any) -> None:
    """Make what the program describes, after showing it."""
    if options["skip_preview"] and not options["yes"]:
        message = "--skip-preview leaves nothing to agree to, so it needs --yes"
        raise click.UsageError(message)
    _run("up", **options)


@main.command()
@_options
@_yes
@click.option("--rehearse", is_flag=True, help="Show the order, what stays and what would hold it up; deletes nothing.")
def destroy(*, rehearse: bool, **options: Any) -> None:
    """Delete all that the stack has made, after showing it."""
    if not rehearse:
        _run("destroy", **options)

    def work() -> int:
        from meshctl.rehearse import run

        del options["yes"]
        return run(**options)

    _guarded(work)


@main.group()
def upgrade() -> None:
    """Bring the mesh to another version of Istio."""


@upgrade.command("plan")
@_stack
@_cwd
@click.option("--to", required=True, metavar="VERSION", help="Version of Istio.")
@click.option("--revision", metavar="NAME", help="Name of the new control plane; default: the version, with dashes.")
@click.option("--canary", metavar="CLUSTER", help="Cluster that goes first; default: the first control plane.")
@_write
@_json
def upgrade_plan(stack: str, cwd: Path, write: Path | None, as_json: bool, **options: Any) -> None:
    """Print the steps, each a change of the document; changes nothing and asks no cluster."""

    def work() -> int:
        from meshctl.plans import Wish
        from meshctl.upgrade import plan

        plan(Wish(stack, cwd, write, as_json), **options)
        return 0

    _guarded(work)


@main.group()
def trust() -> None:
    """What a mesh says of itself to other meshes."""


@trust.command("export")
@_stack
@_cwd
@_state
@_engine
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="File to write; default: print.")
def trust_export(**options: Any) -> None:
    """Write down roots, gateways and exports of a stack's mesh; nothing of it is secret."""

    def work() -> int:
        from meshctl.trust import export

        export(**options)
        return 0

    _guarded(work)


@trust.command("digest")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@_json
def trust_digest(file: Path, as_json: bool) -> None:
    """Show what another mesh says of itself, and the digest with which somebody here signs it off."""

    def work() -> int:
        from meshctl.trust import digest

        digest(file, as_json=as_json)
        return 0

    _guarded(work)


@main.group()
def vm() -> None:
    """Virtual machines in the mesh."""


@vm.command("bundle")
@click.argument("name")
@click.option("--out", "-o", type=click.Path(path_type=Path), required=True, metavar="DIR", help="Folder to write.")
@click.option("--internal-ip", metavar="IP", help="The machine's address; default: the first one that it has.")
@click.option("--external-ip", metavar="IP", help="Where the mesh calls it, if the machine itself has another address.")
@_options
def vm_bundle(stack: str, cwd: Path, state: Path | None, engine: str | None, **options: Any) -> None:
    """Write what the machine NAME needs to come in: five files, mode 0600, a token of the machine's account in one."""
    if options["internal_ip"] and options["external_ip"]:
        message = "--internal-ip and --external-ip say the same thing; give one"
        raise click.UsageError(message)

    def work() -> int:
        from meshctl.vm import Wish, bundle

        bundle(stack, cwd, state, engine, Wish(**options))
        return 0

    _guarded(work)


@main.group()
def traffic() -> None:
    """Lead requests to another version of a service."""


@traffic.command("plan")
@_stack
@_cwd
@click.option("--host", required=True, help="The service, as the document's `traffic` has it.")
@click.option("--to", required=True, metavar="SUBSET", help="Who gets the requests.")
@click.option("--steps", default="10,50,100", show_default=True, metavar="PERCENT,...", help="100 alone: blue/green.")
@click.option("--route", metavar="NAME", help="Whose requests; default: those of the route for all.")
@_write
@_json
def traffic_plan(stack: str, cwd: Path, write: Path | None, as_json: bool, **options: Any) -> None:
    """Print the steps, each a change of the document; changes nothing and asks no cluster."""

    def work() -> int:
        from meshctl.plans import Wish
        from meshctl.traffic import plan

        plan(Wish(stack, cwd, write, as_json), **options)
        return 0

    _guarded(work)


@main.group()
def rotate() -> None:
    """Replace certificates and credentials while the mesh goes on."""


@rotate.group("plan")
def rotate_plan() -> None:
    """Print the steps, each a change of the document; changes nothing and asks no cluster."""


@rotate_plan.command("root")
@_stack
@_cwd
@_write
@_json
def rotate_root(stack: str, cwd: Path, write: Path | None, as_json: bool) -> None:
    """To another root: every cluster trusts both, then signs with the new one, then drops the old one."""
    _rotation(stack, cwd, write, as_json, "root")


@rotate_plan.command("intermediate")
@_stack
@_cwd
@click.option("--cluster", "clusters", multiple=True, metavar="NAME", help="Only this one's; may be repeated.")
@_write
@_json
def rotate_intermediate(stack: str, cwd: Path, clusters: tuple[str, ...], write: Path | None, as_json: bool) -> None:
    """To new signing certificates under the same root, one cluster after the other."""
    _rotation(stack, cwd, write, as_json, "intermediate", clusters)


@rotate_plan.command("tokens")
@_stack
@_cwd
@click.option("--cluster", "clusters", multiple=True, metavar="NAME", help="Only to read this one; may be repeated.")
@_write
@_json
def rotate_tokens(stack: str, cwd: Path, clusters: tuple[str, ...], write: Path | None, as_json: bool) -> None:
    """To other tokens with which clusters are read: new beside old, then without the old ones."""
    _rotation(stack, cwd, write, as_json, "tokens", clusters)


def _rotation(stack: str, cwd: Path, write: Path | None, as_json: bool, *what: Any) -> None:
    def work() -> int:
        from meshctl.plans import Wish
        from meshctl.rotate import plan

        plan(Wish(stack, cwd, write, as_json), *what)
        return 0

    _guarded(work)


@main.command()
@_stack
@_cwd
@click.option("--cluster", "clusters", multiple=True, metavar="NAME", help="Only this one; may be repeated.")
@click.option("--namespace", "-n", metavar="NAME", help="Only this one.")
@click.option("--timeout", type=click.FloatRange(min=0), default=600, show_default=True, help="Seconds a workload.")
@click.option("--keep-going", is_flag=True, help="Go on with the others when one fails.")
@click.option("--dry-run", is_flag=True, help="Show what would be restarted, and stop.")
@_yes
@_json
def restart(stack: str, cwd: Path, **options: Any) -> None:
    """Restart workloads that still run an old proxy, rolling, one after the other in each namespace."""
    if not options["dry_run"]:
        _ask("restart", "mesh restart --dry-run", yes=options["yes"], as_json=options["as_json"])

    def work() -> int:
        from meshctl.restart.command import Wish, run

        return run(stack, cwd, Wish(**options))

    _guarded(work)


@main.command()
@click.argument("what")
@_stack
@_cwd
@_json
def explain(what: str, stack: str, cwd: Path, as_json: bool) -> None:
    """Tell why WHAT is there, what it needs, and what needs it.

    WHAT is a resource (its name in Pulumi or in Kubernetes, or its URN), a cluster, an edge, or a finding. No cluster
    is asked.

    \b
    mesh explain mesh-east-eastwest -s prod
    mesh explain istio-remote-secret-east -s prod
    mesh explain "east -> west" -s prod           why the istiod of west reads east
    mesh explain MESH201 -s prod
    """

    def work() -> int:
        from meshctl.explain import run

        return run(stack, cwd, what, as_json=as_json)

    _guarded(work)


@main.command()
@_stack
@_cwd
@click.option("--allow", multiple=True, metavar="RULE", help="Rule that may be broken; may be repeated.")
@click.option("--charts", is_flag=True, help="Render the charts too, with helm; may need a network.")
@_json
def policy(stack: str, cwd: Path, **options: Any) -> None:
    """Look whether what a document leads to keeps the rules of security: no secret in clear, rights, tokens, mTLS.

    No cluster is asked, and no passphrase is needed. Ends with 1 where a mandatory rule is broken. The same rules are a
    policy pack for Pulumi, in the folder policy/.
    """

    def work() -> int:
        from meshctl.policy import run

        return run(stack, cwd, **options)

    _guarded(work)


@main.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print what a shell loads to complete commands, options and names of stacks.

    \b
    bash   echo 'eval "$(mesh completion bash)"' >> ~/.bashrc      needs bash 4.4
    zsh    echo 'eval "$(mesh completion zsh)"' >> ~/.zshrc        after compinit
    fish   mesh completion fish > ~/.config/fish/completions/mesh.fish
    """
    from meshctl.completion import script

    click.echo(script(shell, main))


@main.command()
def schema() -> None:
    """Print the JSON schema of the mesh document."""
    from meshctl.display import print_json

    try:
        from mesh_components.settings.schema import json_schema
    except ImportError as error:
        message = f"the settings cannot be imported: {error}"
        raise click.ClickException(message) from error
    print_json(json_schema())


def _run(command: str, *, yes: bool, as_json: bool, **options: Any) -> None:
    _ask(command, "mesh preview", yes=yes, as_json=as_json)

    def work() -> int:
        from meshctl.commands import run

        report: Report = run(command, yes=yes, as_json=as_json, **options)
        return report.exit_code

    _guarded(work)


def _ask(command: str, look: str, *, yes: bool, as_json: bool) -> None:
    """Refuse what would have to ask and cannot."""
    if not yes and not sys.stdin.isatty():
        message = f"`mesh {command}` asks before it acts, and this is not a terminal; look at `{look}`, add --yes"
        raise click.UsageError(message)
    if as_json and not yes:
        message = "--json prints no question, so it needs --yes"
        raise click.UsageError(message)


def _guarded(work: Callable[[], int]) -> None:
    """End with what the work returns; what a user can put right is told in a line."""
    from meshctl.commands import UserError

    try:
        code = work()
    except UserError as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        click.echo("interrupted", err=True)
        sys.exit(130)
    sys.exit(code)


if __name__ == "__main__":
    main()
