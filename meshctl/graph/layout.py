"""Where everything of the picture is, in whole pixels: the same for the same mesh, always.

Clusters stand below each other, network by network, so that the picture is as wide for six of them as for two and its
text is never scaled away. What belongs to the control plane is at the left of a cluster, its lines in lanes further
left; workloads and gateways are at the right, their lines in lanes further right; no line crosses text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from mesh_components.topology import names
from meshctl.graph import sharing, words
from meshctl.graph.doors import gateway_key, gateway_keys
from meshctl.graph.model import GATEWAY_OF, OUTSIDE, TITLES, Cluster, Graph, Plane
from meshctl.graph.text import fitted, width
from meshctl.graph.wires import Point

MARGIN, PAD, GAP = 20, 12, 14
CHIP, PITCH = 24, 34
"""Height of a part of a cluster, and from one part to the next."""
LANE = 12
"""From one lane to the next."""
NAME, TEXT, SMALL = 16, 12, 12
SERVER = "server"
CACERTS = "cacerts"
PLANES: dict[Plane, str] = {"sidecar": "sidecar workloads", "ambient": "ambient workloads"}


@dataclass(frozen=True)
class Box:
    """A rectangle."""

    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """Its right edge."""
        return self.x + self.width

    @property
    def bottom(self) -> int:
        """Its lower edge."""
        return self.y + self.height

    @property
    def middle(self) -> Point:
        """Its centre."""
        return Point(self.x + self.width // 2, self.y + self.height // 2)


@dataclass(frozen=True)
class Chip:
    """One part of a cluster."""

    key: str
    """`cacerts`, `istiod` with its revision, `server`, a data plane, or `gateway` with its kind."""
    style: str
    text: str
    box: Box

    def left(self, shift: int = 0) -> Point:
        """Where a line ends at its left."""
        return Point(self.box.x, self.box.middle.y + shift)

    def right(self, shift: int = 0) -> Point:
        """Where a line ends at its right."""
        return Point(self.box.right, self.box.middle.y + shift)


@dataclass(frozen=True)
class Card:
    """One cluster."""

    cluster: Cluster
    box: Box
    text_x: int
    name: str
    lines: tuple[tuple[int, str], ...]
    """Baseline and text, below the name."""
    chips: dict[str, Chip]

    def istiods(self) -> list[Chip]:
        """Its control planes."""
        return [chip for key, chip in self.chips.items() if key.startswith("istiod")]


@dataclass(frozen=True)
class Note:
    """Something that is no cluster: machines, or another mesh."""

    box: Box
    name: str
    lines: tuple[tuple[int, str], ...]
    """Baseline and text, below the name."""

    def left(self) -> Point:
        """Where a line ends at its left."""
        return Point(self.box.x, self.box.middle.y)

    def right(self) -> Point:
        """Where a line begins at its right."""
        return Point(self.box.right, self.box.middle.y)


@dataclass(frozen=True)
class Group:
    """One network; or, without being one, an external control plane, machines, other meshes."""

    title: str
    network: bool
    box: Box
    cards: tuple[Card, ...]
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True)
class Columns:
    """What all clusters of a picture have in common."""

    left: int
    """Width of the parts at the left."""
    text: int
    right: int
    card_x: int

    @property
    def text_x(self) -> int:
        """Where the name of a cluster begins."""
        return self.card_x + PAD + self.left + GAP + 8

    @property
    def right_x(self) -> int:
        """Where the parts at the right begin."""
        return self.text_x + self.text + GAP

    @property
    def card_right(self) -> int:
        """Where a cluster ends."""
        return self.right_x + self.right + PAD


@dataclass(frozen=True)
class Layout:
    """Where everything is."""

    root: Box
    trust_lane: int
    groups: tuple[Group, ...]
    direct_lane: int
    """The first within the networks' boxes, at the right of the clusters."""
    outside: int
    """Right edge of the networks' boxes: lanes begin there."""
    cards: dict[str, Card] = field(compare=False)
    machines: tuple[Note, ...] = ()
    meshes: tuple[Note, ...] = ()


def layout(graph: Graph) -> Layout:
    """Place the clusters of a mesh."""
    lanes = {(link.reader, link.config) for link in graph.discovery}
    trust_lane = MARGIN + LANE * (len(lanes) + 1)
    columns = _columns(graph, card_x=trust_lane + 16 + GAP)
    direct = max((len(sharing.direct(graph, network.name)) for network in graph.networks), default=0)
    outside = columns.card_right + (2 * GAP + 6 + LANE * (direct - 1) if direct else GAP)
    servers = {link.server for link in graph.control} | {machine.server for machine in graph.machines}
    root = Box(trust_lane - GAP, MARGIN, width("Root CA", TEXT, bold=True) + 2 * GAP, 34)
    groups, y = [], root.bottom + GAP
    for title, network, clusters in _titles(graph):
        cards, top = [], y + 26
        for cluster in clusters:
            cards.append(_card(cluster, columns, top, channel=cluster.name in servers))
            top = cards[-1].box.bottom + GAP
        box = Box(columns.card_x - GAP, y, outside - columns.card_x + GAP, top - y)
        groups.append(Group(fitted(title, TEXT, box.width - 2 * GAP), network, box, tuple(cards)))
        y = box.bottom + GAP
    beside = []
    for title, texts in (("virtual machines", words.machines(graph)), ("other meshes", words.meshes(graph))):
        group = _notes(title, texts, columns, y, outside)
        beside.append(group.notes)
        if texts:
            groups.append(group)
            y = group.box.bottom + GAP
    return Layout(
        root=root,
        trust_lane=trust_lane,
        groups=tuple(groups),
        direct_lane=columns.card_right + GAP + 6,
        outside=outside,
        cards={card.cluster.name: card for group in groups for card in group.cards},
        machines=beside[0],
        meshes=beside[1],
    )


def _notes(title: str, texts: Sequence[Sequence[str]], columns: Columns, y: int, outside: int) -> Group:
    """One below the other; the first text of each is its name."""
    notes, top = [], y + 26
    wide = columns.card_right - columns.card_x
    for name, *lines in texts:
        box = Box(columns.card_x, top, wide, 2 * PAD + 20 + 16 * len(lines))
        fit = tuple((top + PAD + 32 + 16 * row, fitted(text, TEXT, wide - 2 * PAD)) for row, text in enumerate(lines))
        notes.append(Note(box, fitted(name, NAME, wide - 2 * PAD, bold=True), fit))
        top = box.bottom + GAP
    frame = Box(columns.card_x - GAP, y, outside - columns.card_x + GAP, top - y)
    return Group(title, network=False, box=frame, cards=(), notes=tuple(notes))


def _titles(graph: Graph) -> Iterator[tuple[str, bool, Sequence[Cluster]]]:
    if graph.outside:
        yield "control plane, outside of the mesh's networks", False, graph.outside
    for network in graph.networks:
        yield network.name, True, network.clusters


def _columns(graph: Graph, card_x: int) -> Columns:
    clusters = graph.clusters()

    def widest(texts: Iterable[str], least: int, most: int, size: int = TEXT, *, bold: bool = False) -> int:
        return min(most, max([least, *(width(text, size, bold=bold) for text in texts)]))

    parts = [text for cluster in clusters for _, _, text in (*_left(cluster), *_right(cluster)) if text]
    left = [text for cluster in clusters for _, _, text in _left(cluster)]
    right = [text for text in parts if text not in left]
    about = [line for cluster in clusters for line in _about(cluster)]
    return Columns(
        left=widest(left, 88, 176) + 2 * PAD,
        text=max(widest((c.name for c in clusters), 96, 240, NAME, bold=True), widest(about, 96, 240)),
        right=widest(right, 88, 160) + 2 * PAD,
        card_x=card_x,
    )


def _card(cluster: Cluster, columns: Columns, top: int, *, channel: bool) -> Card:
    left, right = _left(cluster), _right(cluster)
    first, *more = _about(cluster)
    baselines = [top + 46, *(top + (80 if channel else 64) + 16 * row for row in range(len(more)))]
    slots = max(len(left), len(right), 2)
    height = max(PITCH * slots + 2 * PAD - (PITCH - CHIP), baselines[-1] + PAD - top)
    chips = [
        Chip(key, style, fitted(text, TEXT, wide - PAD), Box(x, top + PAD + PITCH * row, wide, CHIP))
        for parts, x, wide in (
            (left, columns.card_x + PAD, columns.left),
            (right, columns.right_x, columns.right),
        )
        for row, (key, style, text) in enumerate(parts)
        if key
    ]
    return Card(
        cluster=cluster,
        box=Box(columns.card_x, top, columns.card_right - columns.card_x, height),
        text_x=columns.text_x,
        name=fitted(cluster.name, NAME, columns.text, bold=True),
        lines=tuple((y, fitted(text, TEXT, columns.text)) for y, text in zip(baselines, (first, *more), strict=True)),
        chips={chip.key: chip for chip in chips},
    )


def _left(cluster: Cluster) -> list[tuple[str, str, str]]:
    """Parts of the control plane from the top: key, style and text."""
    signed = [(CACERTS, "trust", "cacerts")] if cluster.istiods else []
    istiods = [(f"istiod {item.name}", "istiod", words.istiod(item)) for item in cluster.istiods]
    server = [(SERVER, "server", "API server")] if cluster.planes else []
    return [*signed, *istiods, *server]


def _right(cluster: Cluster) -> list[tuple[str, str, str]]:
    """Workloads and gateways from the top. A part without a key is a gap: an external control plane's gateway is at the
    height of its istiod."""
    parts: list[tuple[str, str, str]] = []
    if external := cluster.gateway("external"):
        parts += [("", "", ""), (gateway_key(external.kind), "istiod", TITLES[external.kind])]
    for plane in cluster.planes:
        parts.append((plane, plane, PLANES[plane]))
        if gateway := cluster.gateway(GATEWAY_OF[plane]):
            parts.append((gateway_key(gateway.kind), plane, TITLES[gateway.kind]))
    for gateway, key in gateway_keys(cluster).items():
        if gateway.kind in OUTSIDE:
            parts.append((key, "outside", words.door(cluster, gateway)))
    return parts


def _about(cluster: Cluster) -> list[str]:
    """The lines below a cluster's name; the first is its role and where it is."""
    place = [cluster.platform] if cluster.platform != "generic" else []
    first = " · ".join([cluster.role, *place, *([cluster.locality] if cluster.locality else [])])
    served = [f"served by {cluster.control_plane}"] if cluster.control_plane != cluster.name else []
    served += ["holds its configuration"] if cluster.role == "config" else []
    tags = [f"tag {tag} → {names.istiod(revision)}" for tag, revision in cluster.tags]
    return [first, *served, *tags]
