"""A collection as a folder of plain files, written from any store and read into any other."""

from crossmedia.retrieval.archive.exporting import Exported, export
from crossmedia.retrieval.archive.importing import Imported, NotEmpty, bring
from crossmedia.retrieval.archive.manifest import ArchiveNewer, ArchiveUnusable, ArchiveUnwritable, FolderTaken
from crossmedia.retrieval.archive.places import Conflict
from crossmedia.retrieval.archive.reading import Archive

__all__ = [
    "Archive",
    "ArchiveNewer",
    "ArchiveUnusable",
    "ArchiveUnwritable",
    "Conflict",
    "Exported",
    "FolderTaken",
    "Imported",
    "NotEmpty",
    "bring",
    "export",
]
