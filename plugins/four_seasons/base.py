"""The base of the plugin's models, which each season keeps in a folder of its own."""

from sqlalchemy.orm import DeclarativeBase

from core.api import TYPES, metadata


class Base(DeclarativeBase):
    """Base of the plugin's models: a registry of its own on the shared metadata."""

    metadata = metadata
    type_annotation_map = TYPES
