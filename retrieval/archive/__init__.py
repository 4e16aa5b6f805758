"""A collection as a folder of plain files, written from any store and read into any other."""

from retrieval.archive.exporting import Exported, export
from retrieval.archive.importing import Imported, NotEmpty, bring
from retrieval.archive.manifest import ArchiveNewer, ArchiveUnusable, ArchiveUnwritable, FolderTaken
from retrieval.archive.reading import Archive

__all__ = [
    "Archive",
    "ArchiveNewer",
    "ArchiveUnusable",
    "ArchiveUnwritable",
    "Exported",
    "FolderTaken",
    "Imported",
    "NotEmpty",
    "bring",
    "export",
]
