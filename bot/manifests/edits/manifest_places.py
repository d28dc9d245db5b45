"""Where a plain manifest says a field: in the object itself."""

from __future__ import annotations

from collections.abc import Iterator

from bot.manifests.edits.source_files import Candidate, Document, Kind, SourceFiles
from bot.manifests.edits.wanted import Wanted
from bot.manifests.origin import counterpart
from estimators.objects import Body, ManifestObject, Path, dig, text


def candidates(files: SourceFiles, item: ManifestObject, wanted: Wanted) -> Iterator[Candidate]:
    """The one place."""
    document = the_object(files, item)
    place = known_part(document, item.body, wanted.path) if document else None
    found = document.set(place, wanted.proposed, wanted.form, Kind.MANIFEST) if document and place else None
    yield from [found] if found else []


def the_object(files: SourceFiles, item: ManifestObject) -> Document | None:
    """The document that became the object: of its kind, on its line; None where that is not one alone."""
    alike = [
        document
        for document in files.objects(item.source.file)
        if document.body.get("kind") == item.identity.kind and document.line == item.source.line
    ]
    if len(alike) > 1:
        name = item.identity.name
        alike = [document for document in alike if text(dig(document.body, "metadata", "name")) == name]
    return alike[0] if len(alike) == 1 else None


def known_part(document: Document, body: Body, path: Path) -> Path | None:
    """The path in a document for a path in what became of it; None where an item of a list is not there.

    Items of lists are matched by name, as a strategic merge matches them.
    """
    found = counterpart(path, body, document.body)
    rest = path[len(found) :]
    if any(isinstance(step, int) for step in rest):
        return None
    return (*found, *rest)
