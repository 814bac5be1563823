"""`python -m meshctl.lab`: the `lab` commands on their own."""

from meshctl.lab.commands import lab

lab(prog_name="python -m meshctl.lab")
