// The reader. Traces are JSON in script elements, parsed one at a time; text only ever enters the page as text.
(() => {
  const desk = document.getElementById("desk");
  if (!desk) return;
  const at = (id) => document.getElementById(id);
  const data = (name) => JSON.parse(at(`trace-${name}`).textContent);
  const withOriginals = desk.dataset.originals === "yes";
  const index = data("index");
  const picks = { group: at("pick-group"), reason: at("pick-reason"), trace: at("pick-trace") };
  const ANY = "", EDITED = "*";
  let shown = [];   // indices of the traces that pass the filters
  let edits = [];   // elements of the open trace's edits that pass the filters, in reading order
  let current = -1; // place in edits

  function make(tag, className, ...content) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    element.append(...content);
    return element;
  }

  const plural = (count, noun) => `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
  const lengthOf = (removed) => (typeof removed === "number" ? removed : removed.length);

  function describe([kind, reason, removed, added]) {
    const size = { deleted: lengthOf(removed), inserted: added.length, moved: Math.max(lengthOf(removed), added.length) }[kind];
    const change = size === undefined
      ? `${plural(lengthOf(removed), "character")} replaced by ${added.length.toLocaleString("en")}`
      : `${plural(size, "character")} ${kind}`;
    return reason && reason !== kind ? `${change} (${reason})` : change;
  }

  // An edit, shown on the side where it has text; a gap marks the guarded side where nothing took the place.
  function editElements(part, number) {
    const [kind, reason, removed, added] = part;
    // White space around the text of an edit stays outside of its mark, so that no empty line is coloured.
    const mark = (tag, text, prefix) => {
      const [, head, core, tail] = text.match(/^(\s*)([^]*?)(\s*)$/);
      const element = make(tag, `edit ${kind}`, make("span", "unseen", `[${prefix}: `), core, make("span", "unseen", "]"));
      element.title = describe(part);
      return { element, nodes: [head, element, tail] };
    };
    const gap = () => {
      const element = make("span", "gap", kind === "moved" ? "moved elsewhere" : describe(part));
      return { element, nodes: [element, added] };
    };
    const moved = kind === "moved";
    const before = withOriginals && removed ? mark(moved ? "span" : "del", removed, moved ? "moved away" : "removed") : null;
    const after = added.trim() ? mark(moved ? "span" : "ins", added, moved ? "moved here" : "added") : gap();
    const target = (before ?? after).element;
    target.tabIndex = -1;
    Object.assign(target.dataset, { number, reason });
    after.element.dataset.edit = number;
    return { before: before?.nodes ?? [], after: after.nodes };
  }

  function emptyRow() {
    return { before: make("div", "side original"), after: make("div", "side guarded"), changed: false };
  }

  // Rows keep both sides level: a row ends where a line ends.
  function rowsOf(parts) {
    const rows = [emptyRow()];
    let number = 0;
    for (const part of parts) {
      if (typeof part === "string") {
        for (const line of part.match(/[^\n]*\n+|[^\n]+/g)) {
          rows.at(-1).before.append(line);
          rows.at(-1).after.append(line);
          if (line.endsWith("\n")) rows.push(emptyRow());
        }
        continue;
      }
      const row = rows.at(-1);
      const { before, after } = editElements(part, number++);
      row.before.append(...before);
      row.after.append(...after);
      row.changed = true;
      if (/\n\s*$/.test(part[3] || (withOriginals ? part[2] : ""))) rows.push(emptyRow());
    }
    return rows.filter((row) => row.before.hasChildNodes() || row.after.hasChildNodes());
  }

  function rowElement(row) {
    if (!withOriginals) return make("div", row.changed ? "row changed" : "row", row.after);
    if (!row.changed) row.after.setAttribute("aria-hidden", "true");
    else {
      row.before.prepend(make("span", "unseen", "Original: "));
      row.after.prepend(make("span", "unseen", "Guarded: "));
    }
    return make("div", row.changed ? "row changed" : "row same", row.before, row.after);
  }

  function block(label, text, open) {
    const details = make("details", "block", make("summary", "", label), make("div", "text", text));
    details.open = open;
    return details;
  }

  function open(place) {
    const trace = data(place);
    const parts = trace.parts;
    const changes = parts.filter((part) => typeof part !== "string");
    const heading = make("h3", "", trace.id || "trace without a name");
    heading.id = "trace-name";
    const heads = withOriginals ? [make("div", "", "Original"), make("div", "", "Guarded")] : [make("div", "", "Guarded")];
    const heads_row = make("div", "row heads", ...heads);
    heads_row.setAttribute("aria-hidden", "true");
    const body = make("div", withOriginals ? "sides" : "sides one", heads_row, ...rowsOf(parts).map(rowElement));
    const facts = make("p", "fine", `${trace.group} · ${changes.length ? plural(changes.length, "edit") : "unchanged"}`);
    at("trace").replaceChildren(heading, facts, ...(trace.prompt ? [block("Prompt", trace.prompt, trace.prompt.length < 600)] : []), body,
      block(trace.answerSame ? "Answer, the same in both" : "Answer of the guarded trace: it differs from the original", trace.answer, trace.answer.length < 600));
    const reason = picks.reason.value;
    edits = [...body.querySelectorAll("[data-number]")].filter((edit) => reason === ANY || reason === EDITED || edit.dataset.reason === reason);
    for (const edit of body.querySelectorAll("[data-number]")) edit.classList.toggle("dim", !edits.includes(edit));
    current = -1;
    picks.trace.value = String(place);
    say();
  }

  function say(more = "") {
    const place = shown.indexOf(Number(picks.trace.value));
    const trace = `Trace ${place + 1} of ${shown.length}`;
    const edit = !edits.length ? "no edits" : current < 0 ? plural(edits.length, "edit")
      : `edit ${current + 1} of ${edits.length}: ${edits[current].title || edits[current].textContent}`;
    at("status").textContent = shown.length ? `${trace} · ${edit}${more}` : "No trace fits these filters.";
  }

  function stepTrace(step) {
    const place = shown.indexOf(Number(picks.trace.value)) + step;
    if (place >= 0 && place < shown.length) open(shown[place]);
  }

  const fitting = (entry) => {
    const reason = picks.reason.value;
    return reason === ANY || reason === EDITED ? Object.values(entry.edits).reduce((sum, count) => sum + count, 0) : entry.edits[reason] ?? 0;
  };

  function select(place) {
    for (const old of document.querySelectorAll(".current")) old.classList.remove("current");
    current = place;
    const edit = edits[current];
    edit.classList.add("current");
    document.querySelector(`[data-edit="${edit.dataset.number}"]`)?.classList.add("current");
    edit.focus({ preventScroll: true });
    edit.scrollIntoView({ block: "center", behavior: "instant" });
    say();
  }

  // Behind the last edit of a trace comes the first one of the next trace that has any.
  function stepEdit(step) {
    if (edits[current + step]) return select(current + step);
    let place = shown.indexOf(Number(picks.trace.value)) + step;
    while (shown[place] !== undefined && !fitting(index[shown[place]])) place += step;
    if (shown[place] === undefined) return say(" · no further edit");
    open(shown[place]);
    select(step > 0 ? 0 : edits.length - 1);
  }

  function option(value, label) {
    const element = make("option", "", label);
    element.value = value;
    return element;
  }

  function fits(entry) {
    const inGroup = picks.group.value === ANY || entry.group === picks.group.value;
    return inGroup && (picks.reason.value === ANY || fitting(entry) > 0);
  }

  function filter() {
    shown = index.map((_, place) => place).filter((place) => fits(index[place]));
    picks.trace.replaceChildren(...shown.map((place) => {
      const count = fitting(index[place]);
      return option(place, `${index[place].id || place + 1} (${count ? plural(count, "edit") : "unchanged"})`);
    }));
    if (shown.length) return open(shown[0]);
    edits = [];
    at("trace").replaceChildren();
    say();
  }

  function offer() {
    const groups = [...new Set(index.map((entry) => entry.group))];
    picks.group.append(option(ANY, `all (${index.length})`), ...groups.map((group) =>
      option(group, `${group} (${index.filter((entry) => entry.group === group).length})`)));
    picks.group.parentElement.hidden = groups.length < 2;
    const reasons = new Map();
    for (const entry of index) for (const reason of Object.keys(entry.edits)) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    const edited = index.filter((entry) => Object.keys(entry.edits).length).length;
    picks.reason.append(option(ANY, "any or none"), option(EDITED, `any (${plural(edited, "trace")})`),
      ...[...reasons].sort().map(([reason, count]) => option(reason, `${reason} (${plural(count, "trace")})`)));
  }

  const moves = {
    "trace-back": [["k", "ArrowLeft"], () => stepTrace(-1)],
    "trace-on": [["j", "ArrowRight"], () => stepTrace(1)],
    "edit-back": [["p"], () => stepEdit(-1)],
    "edit-on": [["n"], () => stepEdit(1)],
  };

  bindMoves(moves);
  picks.group.addEventListener("change", filter);
  picks.reason.addEventListener("change", filter);
  picks.trace.addEventListener("change", () => open(Number(picks.trace.value)));
  at("no-script").remove();
  desk.hidden = false;
  offer();
  filter();
})();
