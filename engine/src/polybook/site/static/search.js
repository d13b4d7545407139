// Cuts a query as `polybook.site.search` cuts the texts, and takes the accents off.
function splitQuery(query) {
  const han = "\\u3400-\\u4dbf\\u4e00-\\u9fff\\uf900-\\ufaff\\u{20000}-\\u{3ffff}";
  const word = new RegExp(`([${han}]+)|(?:(?![${han}])[\\p{L}\\p{N}_])+`, "gu");
  const found = [...query.normalize("NFC").matchAll(word)];
  // Sphinx takes a page that has one of the short words for one that has a long word: `nn.GRU` means `GRU`.
  const long = found.filter(([text, isHan]) => isHan || text.length > 2);
  return (long.length ? long : found).flatMap(([text, isHan]) => {
    const characters = [...text];
    if (!isHan || characters.length === 1) return [text];
    return characters.slice(1).map((character, index) => characters[index] + character);
  });
}
const AccentedStemmer = Stemmer;
Stemmer = function () {
  const stemmer = new AccentedStemmer();
  this.stemWord = (text) => stemmer.stemWord(text.normalize("NFD").replace(/\p{M}/gu, ""));
};
// Extracts of pages are made of their text, without the words of plots.
document.addEventListener("DOMContentLoaded", () => {
  const textOf = Search.htmlToText;
  Search.htmlToText = (page, anchor) => textOf(page.replace(/<svg\b.*?<\/svg>/gs, ""), anchor);
});
// What is called just as the query says comes first, a chapter before a section; then what is called alike, and
// a section before chapters that have the words somewhere. Articles and the like do not matter. A page also is
// about what its code defines by a name of the same words: `TimeMachine`.
Scorer.score = (() => {
  const stemmer = new Stemmer();
  const words = (text) => {
    const all = splitQuery(text.toLowerCase());
    const telling = all.filter((word) => !stopwords.includes(word));
    return (telling.length ? telling : all).map((word) => stemmer.stemWord(word));
  };
  const query = new URLSearchParams(location.search).get("q") ?? "";
  const wanted = words(query);
  const typed = splitQuery(query.toLowerCase()).filter((word) => !stopwords.includes(word));
  const defines = (page) => {
    const { docnames, titleterms } = Search._index;
    return typed.length > 1 && [titleterms[typed.join("")]].flat().includes(docnames.indexOf(page));
  };
  return ([page, title, anchor, , score]) => {
    const name = words(title.split(" > ").at(-1).replace(/^[\d.]+\s+/, "")); // without its number
    const shared = new Set(name.filter((word) => wanted.includes(word))).size;
    if (name.join(" ") === wanted.join(" ")) return score + (anchor ? 100 : 110);
    if (!anchor && defines(page)) score += 10;
    return score + (20 * shared) / (new Set(name).size + new Set(wanted).size) + (anchor ? 6 : 0);
  };
})();
