"""What polybook knows of each language: its own name and the words it puts before numbers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Language:
    """A language that books are read in."""

    #: BCP 47 tag, as in folder names and `<html lang>`.
    tag: str
    #: The language's name in itself.
    name: str
    #: The code of Sphinx's message catalogue.
    catalogue: str
    #: A reference to a numbered chapter, `{}` being the number.
    chapter: str
    #: A reference to a numbered section.
    section: str
    #: A reference to a figure.
    figure: str
    #: A reference to a table.
    table: str
    #: What separates a caption's number from its text.
    caption_separator: str
    #: The word between the last two authors of a citation.
    conjunction: str


ENGLISH = Language(
    tag="en",
    name="English",
    catalogue="en",
    chapter="Chapter {}",
    section="Section {}",
    figure="Fig. {}",
    table="Table {}",
    caption_separator=": ",
    conjunction="and",
)

LANGUAGES = {
    language.tag: language
    for language in (
        ENGLISH,
        Language(
            tag="pt",
            name="Português",
            catalogue="pt_BR",
            chapter="Capítulo {}",
            section="Seção {}",
            figure="Figura {}",
            table="Tabela {}",
            caption_separator=": ",
            conjunction="e",
        ),
        Language(
            tag="zh",
            name="中文",
            catalogue="zh_CN",
            chapter="第 {} 章",
            section="第 {} 节",
            figure="图 {}",
            table="表 {}",
            caption_separator="：",
            conjunction="和",
        ),
        Language(
            tag="fr",
            name="Français",
            catalogue="fr",
            chapter="chapitre {}",
            section="section {}",
            figure="fig. {}",
            table="tableau {}",
            caption_separator=" : ",
            conjunction="et",
        ),
    )
}
