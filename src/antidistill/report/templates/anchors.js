// The reader of anchors. Traces are JSON in script elements, parsed one at a time; text only ever enters the page as text.
(() => {
  const at = (id) => document.getElementById(id);
  const data = (name) => JSON.parse(at(`data-${name}`).textContent);
  const index = data("index"), functions = data("functions");
  const picks = { trace: at("pick-trace"), scorer: at("pick-scorer"), function: at("pick-function") };
  const SVG = "http://www.w3.org/2000/svg", WIDTH = 960, HEIGHT = 170, BASE = 150, LEFT = 8;
  let trace, place = 0, chosen = -1;

  function make(tag, className, ...content) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    element.append(...content);
    return element;
  }

  function draw(tag, attributes, ...content) {
    const element = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...content);
    return element;
  }

  function option(value, label) {
    const element = make("option", "", label);
    element.value = value;
    return element;
  }

  const words = (name) => (name ?? "not told").replaceAll("_", " ");
  const number = (value) => (value === null || value === undefined ? "none" : Number(value.toPrecision(4)).toString());
  const scorer = () => trace.scorers[picks.scorer.value];
  const ranked = () => scorer().ranks.filter((rank) => rank !== null).length;

  function shade(rank, count) {
    if (rank === null) return "heat none";
    return `heat h${Math.min(9, Math.floor((10 * (count - rank)) / Math.max(count, 1)))}`;
  }

  function heat() {
    const wanted = picks.function.value, { ranks } = scorer(), count = ranked();
    at("heat").replaceChildren(...trace.sentences.flatMap((text, sentence) => {
      const core = text.trimEnd();
      const element = make("span", shade(ranks[sentence], count), core);
      element.classList.toggle("other", wanted !== "" && trace.functions[sentence] !== wanted);
      element.classList.toggle("current", sentence === chosen);
      element.dataset.sentence = sentence;
      element.title = `${sentence + 1}: rank ${number(ranks[sentence])} of ${count}, ${words(trace.functions[sentence])}`;
      return [element, text.slice(core.length)];
    }));
  }

  function table(heads, rows) {
    const head = make("thead", "", make("tr", "", ...heads.map((text) => make("th", "", text))));
    const body = make("tbody", "", ...rows.map((row) => make("tr", "", ...row.map((cell, column) => {
      const element = make("td", "", String(cell));
      element.dataset.label = heads[column];
      return element;
    }))));
    return make("table", "", head, body);
  }

  function sentence() {
    if (chosen < 0) {
      at("sentence").replaceChildren(make("p", "", "Choose a sentence in the text, or press n for the highest rank."));
      return;
    }
    const [start, end] = trace.spans[chosen];
    at("sentence").replaceChildren(
      make("h3", "", `Sentence ${chosen + 1} of ${trace.sentences.length}`),
      make("blockquote", "", trace.sentences[chosen].trim()),
      make("p", "fine", `${words(trace.functions[chosen])} · characters ${start} to ${end}`),
      table(["scorer", "score", "rank"], Object.entries(trace.scorers).map(([name, one]) => [name, number(one.values[chosen]), number(one.ranks[chosen])])));
  }

  function path(values, x, y) {
    let pen = "M";
    return values.map((value, sentence) => {
      if (value === null) { pen = "M"; return ""; }
      const step = `${pen}${x(sentence).toFixed(1)} ${y(value).toFixed(1)}`;
      pen = "L";
      return step;
    }).join("");
  }

  function chart() {
    const { values, lines = [], null: nothing = [] } = scorer();
    const all = [values, nothing, ...lines].flat().filter((value) => value !== null);
    at("chart-note").textContent = lines.length
      ? "Bars: mean attention that the top heads give each sentence from far behind. Thin lines: each of these heads. Dashed: the same with every row shuffled."
      : "Bars: the score of each sentence, first to last.";
    if (!all.length) { at("chart").replaceChildren(make("p", "", "There are no scores to draw.")); return; }
    const low = Math.min(0, ...all), high = Math.max(...all), span = high - low || 1;
    const step = (WIDTH - 2 * LEFT) / values.length;
    const x = (sentence) => LEFT + (sentence + 0.5) * step, y = (value) => BASE - ((value - low) / span) * (BASE - 10);
    const bars = values.map((value, sentence) => value === null ? "" : draw("rect", {
      class: sentence === chosen ? "bar-of chosen" : "bar-of", x: x(sentence) - step * 0.4, width: Math.max(step * 0.8, 0.5),
      y: Math.min(y(value), y(0)), height: Math.max(Math.abs(y(value) - y(0)), 0.5), "data-sentence": sentence,
    })).filter((bar) => bar !== "");
    const curves = lines.map((line) => draw("path", { class: "line", d: path(line, x, y) }));
    const shuffled = nothing.length ? [draw("path", { class: "null", d: path(nothing, x, y) })] : [];
    const ends = [["1", LEFT, "start"], [String(values.length), WIDTH - LEFT, "end"]].map(([text, left, anchor]) =>
      draw("text", { x: left, y: HEIGHT - 4, "text-anchor": anchor }, text));
    const label = `Scores of ${picks.scorer.value} over ${values.length} sentences, from ${number(low)} to ${number(high)}`;
    at("chart").replaceChildren(draw("svg", { class: "chart", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label },
      draw("line", { class: "axis", x1: LEFT, x2: WIDTH - LEFT, y1: y(0), y2: y(0) }), ...bars, ...curves, ...shuffled, ...ends));
  }

  function matrix() {
    const known = scorer().matrix;
    at("matrix-note").textContent = known
      ? "Row: a later sentence. Column: an earlier one that it looks at, or depends on. Darker: a higher rank among all pairs. Click a pair to open its earlier sentence."
      : "This scorer has no matrix for this trace; receiver-heads and suppression have one (up to 800 sentences).";
    if (!known) { at("matrix").replaceChildren(); return; }
    const { size, bytes, pairs } = known, codes = atob(bytes);
    const canvas = make("canvas", "");
    canvas.width = canvas.height = size;
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `Matrix of ${size} by ${size} sentences; the strongest pairs are in the table beside it`);
    const context = canvas.getContext("2d"), image = context.createImageData(size, size);
    const [red, green, blue] = getComputedStyle(document.documentElement).getPropertyValue("--hot").trim().split(/\s+/).map(Number);
    for (let cell = 0; cell < size * size; cell++) image.data.set([red, green, blue, codes.charCodeAt(cell)], 4 * cell);
    context.putImageData(image, 0, 0);
    canvas.addEventListener("click", (event) => {
      const box = canvas.getBoundingClientRect();
      choose(Math.min(size - 1, Math.floor(((event.clientX - box.left) / box.width) * size)));
    });
    const strongest = table(["later", "earlier", "value"], pairs.map(([later, earlier, value]) => [later + 1, earlier + 1, number(value)]));
    at("matrix").replaceChildren(canvas, make("div", "", make("h3", "", "Strongest pairs, three or more sentences apart"), strongest));
  }

  function estimate(name, one) {
    return one ? `${name} ${number(one.value)} [${number(one.low)}, ${number(one.high)}]` : `${name} not known (fewer than 4 traces)`;
  }

  function heads() {
    const known = scorer().heads;
    if (!known) { at("heads").replaceChildren(make("p", "fine", "This scorer looks through no attention heads.")); return; }
    const facts = `${estimate("split-half reliability", known.reliability)}, ${estimate("overlap of both halves", known.overlap)}; ` +
      `${number(100 * known.above_null)} % of all heads are sharper than 95 % of the shuffled ones (5 % by chance).`;
    at("heads").replaceChildren(make("p", "", facts), table(["layer", "head", "sharpness they were chosen by", "kurtosis when shuffled"],
      known.rows.map(([layer, head, sharp, nothing]) => [layer, head, number(sharp), number(nothing)])));
  }

  function say() {
    const one = scorer();
    const told = one.reason ? `no scores: ${one.reason}` : chosen < 0 ? `${trace.sentences.length} sentences`
      : `sentence ${chosen + 1}, rank ${number(one.ranks[chosen])} of ${ranked()}, ${words(trace.functions[chosen])}`;
    at("status").textContent = `Trace ${place + 1} of ${index.length} · ${picks.scorer.value} · ${told}`;
    at("facts").textContent = one.reason || `${picks.scorer.value}: ${Object.entries(one.variant).map(([name, value]) => `${name} ${value}`).join(", ") || "no options"}`;
  }

  function show() { heat(); sentence(); chart(); matrix(); heads(); say(); }

  function mark(place, className) {
    document.querySelector(`${place} .${className}`)?.classList.remove(className);
    document.querySelector(`${place} [data-sentence="${chosen}"]`)?.classList.add(className);
  }

  function choose(sentenceNumber) {
    chosen = sentenceNumber;
    mark("#heat", "current");
    mark("#chart", "chosen");
    sentence(); say();
    const element = at("heat").querySelector(".current");
    if (element) at("heat").scrollTo({ top: element.offsetTop - at("heat").offsetTop - at("heat").clientHeight / 2, behavior: "instant" });
  }

  function open(number) {
    place = number;
    trace = data(place);
    chosen = -1;
    const before = picks.scorer.value;
    picks.scorer.replaceChildren(...Object.keys(trace.scorers).map((name) => option(name, name)));
    if (before in trace.scorers) picks.scorer.value = before;
    picks.trace.value = String(place);
    at("trace-name").textContent = trace.id || "trace without a name";
    show();
  }

  function stepTrace(step) {
    if (place + step >= 0 && place + step < index.length) open(place + step);
  }

  // The sentence one rank lower or higher than the chosen one; the highest where none is chosen.
  function stepRank(step) {
    const { ranks } = scorer();
    const wanted = chosen < 0 || ranks[chosen] === null ? 1 : ranks[chosen] + step;
    const next = ranks.indexOf(wanted);
    if (next >= 0) choose(next);
  }

  function stepScorer() {
    picks.scorer.selectedIndex = (picks.scorer.selectedIndex + 1) % picks.scorer.length;
    show();
  }

  const moves = {
    "trace-back": [["k", "ArrowLeft"], () => stepTrace(-1)],
    "trace-on": [["j", "ArrowRight"], () => stepTrace(1)],
    "top-back": [["p"], () => stepRank(-1)],
    "top-on": [["n"], () => stepRank(1)],
    "scorer-on": [["s"], stepScorer],
  };

  function onClick(event) {
    const element = event.target.closest?.("[data-sentence]");
    if (element) choose(Number(element.dataset.sentence));
  }

  at("no-script").hidden = index.length > 0;
  if (!index.length) { at("no-script").textContent = "No row of this file has a sentence to show."; return; }
  picks.trace.append(...index.map((id, number) => option(number, id || `trace ${number + 1}`)));
  picks.function.append(option("", "all"), ...Object.keys(functions).map((name) => option(name, words(name))));
  bindMoves(moves);
  picks.trace.addEventListener("change", () => open(Number(picks.trace.value)));
  picks.scorer.addEventListener("change", show);
  picks.function.addEventListener("change", heat);
  at("heat").addEventListener("click", onClick);
  at("chart").addEventListener("click", onClick);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => matrix());
  at("desk").hidden = false;
  open(0);
})();
