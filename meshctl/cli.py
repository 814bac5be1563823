"""The `mesh` command. What a command needs is imported when it runs, so that help and mistakes answer at once."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from meshctl import options as shared
from meshctl.completion import rules, written

if TYPE_CHECKING:
    from meshctl.rows import Report

_ELSEWHERE = {
    "check": ("meshctl.check.commands", "check"),
    "diff": ("meshctl.review.command", "diff"),
    "graph": ("meshctl.graph.commands", "graph"),
    "import": ("meshctl.importing.command", "import_"),
    "lab": ("meshctl.lab.commands", "lab"),
    "render": ("meshctl.rendering.command", "render"),
    "rotate": ("meshctl.planning", "rotate"),
    "traffic": ("meshctl.planning", "traffic"),
    "trust": ("meshctl.handing", "trust"),
    "upgrade": ("meshctl.planning", "upgrade"),
    "verify": ("meshctl.verify.commands", "verify"),
    "vm": ("meshctl.handing", "vm"),
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
    """Preview, apply and look at multicluster Istio meshes.

    \b
    mesh preview --stack prod       what would change
    mesh up --stack prod            do it
    mesh check --stack prod         is it well, and if not: why, and what to do
    mesh lab up                     clusters on this machine, to try it on
    mesh up --help                  examples and options of a command
    """


@main.command()
@shared.of_a_stack
@click.option("--properties", is_flag=True, help="Show what would be created with all that it consists of.")
@click.option(
    "--without-credentials", is_flag=True, help="Clusters whose kubeconfig is not at hand are compared with the state."
)
def preview(**options: Any) -> None:
    """Show what `up` would do; changes nothing.

    Run it before every `up`. A line a resource, by cluster: + is created, ~ changed, +- replaced, - deleted; below it
    the fields that differ. On the local engine it compares with the live objects, so drift shows too. Secret values
    are masked.

    \b
    mesh preview --stack prod
    mesh preview --stack prod --properties                   all that is created
    mesh preview --stack prod --without-credentials --json   in a pull request
    """
    _run("preview", yes=True, **options)


@main.command()
@shared.of_a_stack
@shared.yes
@click.option(
    "--skip-preview", is_flag=True, help="Act at once, without showing first what would be done; needs --yes."
)
def up(**options: Any) -> None:
    """Make what the program describes, after showing it.

    Asks first, unless --yes is given. What fails stops what depends on it, and nothing else: run it again.

    \b
    mesh up --stack prod
    mesh up --stack prod --yes --json
    """
    if options["skip_preview"] and not options["yes"]:
        message = "--skip-preview leaves nothing to agree to, so it needs --yes"
        raise click.UsageError(message)
    _run("up", **options)


@main.command()
@shared.of_a_stack
@shared.yes
@click.option("--rehearse", is_flag=True, help="Show the order, what stays and what would hold it up; deletes nothing.")
def destroy(*, rehearse: bool, **options: Any) -> None:
    """Delete all that the stack has made, after showing it.

    Workloads and gateways go before control planes, and those before CRDs. --rehearse deletes nothing, and says
    in which order, what stays and what would hold it up.

    \b
    mesh destroy --stack prod --rehearse
    mesh destroy --stack prod
    """
    if not rehearse:
        _run("destroy", **options)

    def work() -> int:
        from meshctl.rehearse import run

        del options["yes"]
        return run(**options)

    shared.guarded(work)


@main.command()
@shared.stack
@shared.cwd
@shared.clusters("Only this one; may be repeated.")
@click.option("--namespace", "-n", metavar="NAME", help="Only this one.")
@click.option("--timeout", type=click.FloatRange(min=0), default=600, show_default=True, help="Seconds a workload.")
@click.option("--keep-going", is_flag=True, help="Go on with the others when one fails.")
@click.option("--dry-run", is_flag=True, help="Show what would be restarted, and stop.")
@shared.yes
@shared.as_json
def restart(stack: str, cwd: Path, **options: Any) -> None:
    """Restart workloads that still run an old proxy. They roll, one after the other in each namespace.

    A running pod keeps the proxy it was born with: so do this where a plan says so, or after a tag, a namespace's
    label or `trust.multiRoot` has changed. What has the right proxy is not restarted; what is left alone is named,
    with the reason. It may be interrupted, and run again.

    \b
    mesh restart --stack prod --dry-run                        only look
    mesh restart --stack prod --cluster east --namespace shop  only there
    mesh restart --stack prod
    """
    if not options["dry_run"]:
        _ask("restart", "mesh restart --dry-run", yes=options["yes"], as_json=options["as_json"])

    def work() -> int:
        from meshctl.restart.command import Wish, run

        return run(stack, cwd, Wish(**options))

    shared.guarded(work)


@main.command()
@click.argument("what", shell_complete=written("clusters"))
@shared.stack
@shared.cwd
@shared.as_json
def explain(what: str, stack: str, cwd: Path, as_json: bool) -> None:
    """Tell why WHAT is there, what it needs, and what needs it.

    WHAT is a resource (its name in Pulumi or in Kubernetes, or its URN), a cluster, an edge, or a finding. No cluster
    is asked.

    \b
    mesh explain mesh-east-eastwest -s prod
    mesh explain istio-remote-secret-east -s prod
    mesh explain "east -> west" -s prod    why the istiod of west reads east
    mesh explain MESH201 -s prod
    """

    def work() -> int:
        from meshctl.explain import run

        return run(stack, cwd, what, as_json=as_json)

    shared.guarded(work)


@main.command()
@shared.stack
@shared.cwd
@click.option(
    "--allow", multiple=True, metavar="RULE", help="Rule that may be broken; may be repeated.", shell_complete=rules
)
@click.option("--charts", is_flag=True, help="Render the charts too, with helm; may need a network.")
@shared.as_json
def policy(stack: str, cwd: Path, **options: Any) -> None:
    """Look whether a document keeps the rules of security.

    The rules are about what it leads to: no secret in clear, rights, tokens, mTLS. No cluster is asked, and no
    passphrase is needed. Ends with 1 where a mandatory rule is broken. The same rules are a policy pack for Pulumi,
    in the folder policy/.

    \b
    mesh policy --stack prod
    mesh policy --stack prod --charts --allow tokens-end
    """

    def work() -> int:
        from meshctl.policy import run

        return run(stack, cwd, **options)

    shared.guarded(work)


@main.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print what a shell loads to complete words of `mesh`.

    Commands, options, stacks, rules; behind --stack also the clusters, machines and hosts that its document has.

    Once, then open a new shell:

    \b
    bash   echo 'eval "$(mesh completion bash)"' >> ~/.bashrc      needs bash 4.4
    zsh    echo 'eval "$(mesh completion zsh)"' >> ~/.zshrc        after compinit
    fish   mesh completion fish > ~/.config/fish/completions/mesh.fish
    """
    from meshctl.completion import script

    click.echo(script(shell, main))


@main.command()
def schema() -> None:
    """Print the JSON schema of the mesh document, for editors.

    With it they complete and check the document, which is the value of `mesh:mesh` in a stack's file, or a file of
    its own, as `mesh diff` takes one. Rules that need more than one key are not in it: `mesh preview` tells them, as
    findings.

    \b
    mesh schema > mesh.schema.json
    """
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

    shared.guarded(work)


def _ask(command: str, look: str, *, yes: bool, as_json: bool) -> None:
    """Refuse what would have to ask and cannot."""
    if not yes and not sys.stdin.isatty():
        message = f"`mesh {command}` asks before it acts, and this is not a terminal; look at `{look}`, add --yes"
        raise click.UsageError(message)
    if as_json and not yes:
        message = "--json prints no question, so it needs --yes"
        raise click.UsageError(message)


if __name__ == "__main__":
    main()
