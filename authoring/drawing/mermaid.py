"""A journey's graph as a Mermaid flowchart (mermaid.js.org), which GitHub and many editors draw."""

from collections.abc import Iterator

from cairn.adapters.drawing.graph import Graph, Node

TONES = {
    "entry": "fill:#e7eef9,stroke:#4a6fa5,color:#16243a",
    "message": "fill:#e3f4ea,stroke:#2f8f5b,color:#10301f",
    "time": "fill:#eceef1,stroke:#7b8794,color:#20262d",
    "choice": "fill:#fdf1d8,stroke:#b9851c,color:#3b2a05",
    "person": "fill:#f6e6f5,stroke:#a04a9a,color:#371435",
    "change": "fill:#e2f3f5,stroke:#2a8794,color:#0d2f34",
    "finish": "fill:#f3f4f6,stroke:#4b5563,color:#1f2937",
}


def mermaid(graph: Graph) -> str:
    """The text of the flowchart."""
    return "\n".join(_lines(graph)) + "\n"


def _lines(graph: Graph) -> Iterator[str]:
    yield "flowchart TD"
    names = {node.id: f"n{number}" for number, node in enumerate(graph.nodes)}
    for node in graph.nodes:
        before, after = node.look.mermaid
        yield f'    {names[node.id]}{before}"{_text(node)}"{after}:::{node.look.tone}'
    for edge in graph.edges:
        words = [_escaped(one) for one in (edge.label, edge.went) if one]
        label = f'|"{"<br/>".join(words)}"|' if words else ""
        yield f"    {names[edge.source]} -->{label} {names[edge.target]}"
    if graph.notes:
        yield f'    notes["{"<br/>".join(map(_escaped, graph.notes))}"]:::finish'
    for tone in dict.fromkeys(node.look.tone for node in graph.nodes):
        yield f"    classDef {tone} {TONES[tone]}"


def _text(node: Node) -> str:
    count = f" · {node.count:,}" if node.count is not None else ""
    lines = [f"<b>{_escaped(node.title)}</b>{count}", *([_escaped(node.says)] if node.says else [])]
    return "<br/>".join(lines)


def _escaped(text: str) -> str:
    """As Mermaid's entity codes, all that it or HTML would read as its own."""
    return "".join(one if one.isalnum() or one in " .,:-_/()%+'=" else f"#{ord(one)};" for one in text)
