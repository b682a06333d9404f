"""The modes of what is uploaded. Lambda keeps them, and its process is not the owner of the files."""

from pathlib import Path

FOLDER, FILE = 0o755, 0o644


def make_readable(tree: Path) -> None:
    """Let everybody read the tree, whatever the umask of who checked it out and built it.

    The CDK names an asset by its content alone: one that Lambda cannot read would be uploaded once, and never again.
    """
    tree.chmod(FOLDER)
    for path in tree.rglob("*"):
        path.chmod(FOLDER if path.is_dir() else FILE)
