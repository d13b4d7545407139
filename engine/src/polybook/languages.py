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
    #: Where results come from: `{device}`, `{framework}` with its version, and the version of `{python}`.
    last_run: str
    #: How a citation names more than two authors, `{}` being the first.
    et_al: str
    #: A work of `{authors}` in the `{year}`, as it stands in brackets.
    cited: str
    #: The same where the authors are part of the sentence.
    named: str
    #: Brackets around `{}`, the works cited.
    brackets: str
    #: The volume `{}` of a series, in the list of works.
    volume: str
    #: What stands between a number's whole part and its decimals.
    decimal: str
    #: What a plot of `{y}` against `{x}` is, `{changes}` being what its curves do.
    plot: str
    #: What a curve `{name}` does from its `{first}` value to its `{last}`, if that is smaller.
    falls: str
    #: The same for one that is greater.
    rises: str
    #: The same for an equal one.
    stays: str
    #: Said in the place of a value that is infinite or undefined.
    no_number: str
    #: What stands between parts of a sentence that have commas or are sentences themselves.
    semicolon: str
    #: Said on a page whose chapter is shown in another language, `{}` being that language's name.
    untranslated: str
    #: Said on a page whose results come from the story inside the library.
    fallback_text: str
    #: Said of the cell that installs what a notebook imports.
    installs: str
    #: The same where the reader has to make a cell of it first.
    would_install: str
    #: Said where it installs a file `{}`, which a notebook that was downloaded alone does not have beside it.
    with_all: str


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
    last_run="Last run on {device} with {framework} and Python {python}.",
    et_al="{} et al.",
    cited="{authors}, {year}",
    named="{authors} ({year})",
    brackets="({})",
    volume="vol. {}",
    decimal=".",
    plot="Plot of {y} against {x}: {changes}.",
    falls="{name} falls from {first} to {last}",
    rises="{name} rises from {first} to {last}",
    stays="{name} goes from {first} to {last}",
    no_number="no finite number",
    semicolon="; ",
    untranslated="This chapter is not translated yet; here it is in {}.",
    fallback_text=(
        "The results on this page come from the short story shipped "
        "with the library, because *The Time Machine* was not at hand."
    ),
    installs="What this notebook imports, as it was tested",
    would_install="To install what this notebook imports, take the # off the line below and run this cell",
    with_all="The file {} comes with “Download all notebooks”, in the menu of each page",
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
            last_run="Última execução em {device} com {framework} e Python {python}.",
            et_al="{} et al.",
            cited="{authors}, {year}",
            named="{authors} ({year})",
            brackets="({})",
            volume="vol. {}",
            decimal=",",
            plot="Gráfico de {y} em função de {x}: {changes}.",
            falls="{name} cai de {first} para {last}",
            rises="{name} sobe de {first} para {last}",
            stays="{name} vai de {first} a {last}",
            no_number="nenhum número finito",
            semicolon="; ",
            untranslated="Este capítulo ainda não foi traduzido; aqui está em {}.",
            fallback_text=(
                "Os resultados desta página vêm do conto que acompanha "
                "a biblioteca, porque *The Time Machine* não estava disponível."
            ),
            installs="O que este notebook importa, nas versões em que foi testado",
            would_install=(
                "Para instalar o que este notebook importa, tire o # da linha seguinte e execute esta célula"
            ),
            with_all="O arquivo {} vem com “Baixar todos os notebooks”, no menu de cada página",
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
            last_run="最近一次运行：{device}，{framework}，Python {python}。",
            et_al="{} 等",
            cited="{authors}，{year}",
            named="{authors}（{year}）",
            brackets="（{}）",
            volume="第 {} 卷",
            decimal=".",
            plot="{y}随{x}变化的曲线：{changes}。",
            falls="{name}从 {first} 降到 {last}",
            rises="{name}从 {first} 升到 {last}",
            stays="{name}从 {first} 到 {last}",
            no_number="非有限值",
            semicolon="；",
            untranslated="本章尚未翻译，以下为{}版本。",
            fallback_text="本页结果来自随库附带的短篇小说，因为运行时无法取得 *The Time Machine*。",
            installs="本笔记本所需的库，版本与测试时一致",
            would_install="如需安装本笔记本所需的库，请去掉下一行的 # 再运行此单元格",
            with_all="文件 {} 可通过每页菜单中的“下载全部笔记本”获得",
        ),
        Language(
            tag="fr",
            name="Français",
            catalogue="fr",
            chapter="chapitre {}",
            section="section {}",
            figure="fig. {}",
            table="tableau {}",
            caption_separator="\u00a0: ",
            conjunction="et",
            last_run="Dernière exécution sur {device} avec {framework} et Python {python}.",
            et_al="{} et al.",
            cited="{authors}, {year}",
            named="{authors} ({year})",
            brackets="({})",
            volume="vol. {}",
            decimal=",",
            plot="Graphique\u00a0: {y} en fonction de {x}\u202f; {changes}.",
            falls="{name} descend de {first} à {last}",
            rises="{name} monte de {first} à {last}",
            stays="{name} va de {first} à {last}",
            no_number="aucun nombre fini",
            semicolon="\u202f; ",
            untranslated="Ce chapitre n’est pas encore traduit\u202f; le voici en {}.",
            fallback_text=(
                "Les résultats de cette page viennent de la nouvelle fournie "
                "avec la bibliothèque, car *The Time Machine* n’était pas disponible."
            ),
            installs="Ce qu’importe ce notebook, dans les versions testées",
            would_install=(
                "Pour installer ce qu’importe ce notebook, retirez le # ci-dessous et exécutez cette cellule"
            ),
            with_all=(
                "Le fichier {} vient avec «\u00a0Télécharger tous les notebooks\u00a0», dans le menu de "
                "chaque page"
            ),
        ),
    )
}
