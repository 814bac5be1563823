"""A report as JUnit, which every CI shows: a case for each check."""

from __future__ import annotations

from xml.etree import ElementTree

from mesh_components.settings import Severity
from meshctl.check.catalogue import CATALOGUE, SECTIONS, section
from meshctl.check.report import Report


def junit(report: Report) -> str:
    """The document. An error is a failure; a warning is text of a case that passes; what could be made nowhere or not
    everywhere counts as skipped, with the reason."""
    suites = ElementTree.Element("testsuites", name=f"mesh check {report.mesh}")
    for name in SECTIONS.values():
        codes = [code for code in report.checks if section(code) == name]
        states = [report.state(code) for code in codes]
        suite = ElementTree.SubElement(
            suites,
            "testsuite",
            name=name,
            tests=str(len(codes)),
            failures=str(states.count("error")),
            skipped=str(states.count("unknown")),
        )
        for code in codes:
            _case(suite, report, code)
    ElementTree.indent(suites)
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def _case(suite: ElementTree.Element, report: Report, code: str) -> None:
    case = ElementTree.SubElement(
        suite, "testcase", classname=f"mesh.{section(code)}", name=f"{code} {CATALOGUE[code]}"
    )
    found = [one for one in report.problems if one.code == code]
    texts = {
        severity: "\n".join(
            f"{one.where}: {one.cause}\nfix: {one.fix}\nsee: {one.page}" for one in found if one.severity is severity
        )
        for severity in Severity
    }
    if texts[Severity.ERROR]:
        count = sum(one.severity is Severity.ERROR for one in found)
        failure = ElementTree.SubElement(case, "failure", message=f"{count} x {CATALOGUE[code]}", type=code)
        failure.text = texts[Severity.ERROR]
    elif unknown := [one for one in report.unknown if one.code == code]:
        why = "; ".join(f"{one.where}: {one.why}" if one.where else one.why for one in unknown)
        ElementTree.SubElement(case, "skipped", message=why)
    if texts[Severity.WARNING]:
        ElementTree.SubElement(case, "system-out").text = texts[Severity.WARNING]
