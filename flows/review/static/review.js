"use strict";
// Keys, selection of text, and the lamp on the place of what is chosen. Everything else is done by the server.
(() => {
  const $ = (id) => document.getElementById(id);
  const typing = (node) => node.closest("input, select, textarea") !== null;
  const press = (key) => {
    const wanted = [...document.querySelectorAll("[data-key]")].find((node) => node.dataset.key === key);
    if (wanted && !wanted.disabled) wanted.click();
    return wanted !== undefined;
  };
  if (!$("panel")) {
    document.addEventListener("keydown", (event) => {
      if (!event.ctrlKey && !event.metaKey && !event.altKey && !typing(event.target) && press(event.key)) event.preventDefault();
    });
    return;
  }

  const items = [...document.querySelectorAll(".item")];
  const decide = $("decide"), cellForm = $("correct-cell"), spanForm = $("correct-span");
  const text = $("text"), words = $("span-words");
  let chosen = null;

  // Offsets of the record count code points, those of the browser UTF-16 units: units[n] is where code point n begins.
  const chars = text ? Array.from(text.textContent) : [];
  const units = new Uint32Array(chars.length + 1);
  chars.forEach((char, n) => { units[n + 1] = units[n] + char.length; });
  const toPoint = (unit) => {
    let low = 0, high = chars.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (units[middle] < unit) low = middle + 1; else high = middle;
    }
    return low;
  };
  const toNode = (unit) => {
    const walker = document.createTreeWalker(text, NodeFilter.SHOW_TEXT);
    let seen = 0, node = null;
    while (walker.nextNode()) {
      node = walker.currentNode;
      if (unit <= seen + node.length) return [node, unit - seen];
      seen += node.length;
    }
    return [node, node ? node.length : 0];
  };
  const rangeOf = (start, end) => {
    const range = document.createRange();
    range.setStart(...toNode(units[Math.min(start, chars.length)]));
    range.setEnd(...toNode(units[Math.min(end, chars.length)]));
    return range;
  };

  const light = (start, end) => {
    if (!text || !(end > start) || start >= chars.length) return;
    const range = rangeOf(start, end);
    if (window.Highlight) CSS.highlights.set("lamp", new Highlight(range));
    const pane = $("source"), place = range.getBoundingClientRect(), frame = pane.getBoundingClientRect();
    if (place.top < frame.top || place.bottom > frame.bottom) pane.scrollTop += place.top - frame.top - frame.height / 3;
  };
  const lamp = (node) => {
    document.querySelectorAll("rect.lamp").forEach((old) => old.remove());
    if (window.Highlight) CSS.highlights.delete("lamp");
    const { page, box, start, end } = node.dataset;
    if (start !== undefined) light(Number(start), Number(end));
    const figure = page && document.querySelector(`.page[data-number="${CSS.escape(page)}"]`);
    if (!figure || !box) return;
    const [left, top, right, bottom] = box.split(" ").map(Number);
    const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    const shape = { class: "lamp", x: left - 1, y: top - 1, width: Math.max(right - left, 1) + 2, height: Math.max(bottom - top, 1) + 2 };
    Object.entries(shape).forEach(([name, value]) => rect.setAttribute(name, value));
    figure.querySelector("svg").append(rect);
    rect.scrollIntoView({ block: "center" });
  };

  const name = (node) => (node ? `${node.dataset.kind}:${node.dataset.target}` : "");
  const nextOpen = (from, step) => {
    const at = items.indexOf(from);
    for (let n = at + step; n >= 0 && n < items.length; n += step) if (items[n].classList.contains("open")) return items[n];
    return null;
  };
  const close = () => {
    cellForm.hidden = spanForm.hidden = true;
    decide.hidden = false;
  };
  const choose = (node) => {
    if (!node) return;
    if (chosen) chosen.classList.remove("chosen");
    chosen = node;
    close();
    node.classList.add("chosen");
    node.focus({ preventScroll: true });
    node.scrollIntoView({ block: "nearest" });
    const { kind, target } = node.dataset;
    $("chosen").textContent = kind === "cell" ? `${target}  ${node.dataset.raw || ""}` : node.dataset.raw || target;
    decide.querySelectorAll("[data-for]").forEach((button) => { button.disabled = !button.dataset.for.split(" ").includes(kind); });
    const then = nextOpen(node, 1) || nextOpen(node, -1) || node;
    [decide, cellForm, spanForm].forEach((form) => {
      form.elements.kind.value = kind;
      form.elements.target.value = target;
      form.elements.then.value = name(then);
    });
    lamp(node);
  };

  const setSpan = (start, end) => {
    spanForm.elements.start.value = start;
    spanForm.elements.end.value = end;
    words.textContent = chars.slice(start, end).join("");
    light(start, end);
  };
  const openSpan = (kind, target, start, end) => {
    decide.hidden = cellForm.hidden = true;
    spanForm.hidden = false;
    spanForm.elements.kind.value = kind;
    spanForm.elements.target.value = target;
    // What is decided on stays a claim, or an entity; a new one can be either.
    [...spanForm.elements.field.options].forEach((option) => { option.hidden = option.disabled = target !== "" && option.dataset.kind !== kind; });
    setSpan(start, end);
    words.focus();
  };
  const edit = () => {
    if (!chosen) return;
    const { kind, target, raw, field, unit, role, start, end } = chosen.dataset;
    if (kind === "cell") {
      decide.hidden = true;
      cellForm.hidden = false;
      cellForm.elements.raw.value = raw;
      cellForm.elements.raw.select();
    } else if (!text) {
      const here = new URL(location.href);
      Object.entries({ view: "text", at: name(chosen), edit: "1" }).forEach(([key, value]) => here.searchParams.set(key, value));
      location.assign(here);
    } else {
      spanForm.elements.field.value = field;
      spanForm.elements.value.value = "";
      spanForm.elements.unit.value = "";
      spanForm.elements.role.value = role || "";
      openSpan(kind, target, Number(start), Number(end));
    }
  };

  items.forEach((node) => node.addEventListener("click", () => choose(node)));
  $("edit").addEventListener("click", edit);
  document.querySelectorAll(".cancel").forEach((button) => button.addEventListener("click", () => choose(chosen)));
  spanForm.addEventListener("submit", () => {
    spanForm.elements.kind.value = spanForm.elements.field.selectedOptions[0].dataset.kind;
  });
  if (text) {
    text.addEventListener("mouseup", () => {
      const selection = getSelection();
      if (!selection.rangeCount || selection.isCollapsed) return;
      const range = selection.getRangeAt(0);
      if (!text.contains(range.startContainer) || !text.contains(range.endContainer)) return;
      const before = document.createRange();
      before.selectNodeContents(text);
      before.setEnd(range.startContainer, range.startOffset);
      const start = before.toString().length;
      const span = [toPoint(start), toPoint(start + range.toString().length)];
      if (spanForm.hidden) {
        spanForm.elements.value.value = spanForm.elements.unit.value = spanForm.elements.role.value = "";
        openSpan("claim", "", ...span);
      } else setSpan(...span);
    });
  }
  words.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.key === "Enter") spanForm.requestSubmit();
    if (!step) return;
    event.preventDefault();
    let start = Number(spanForm.elements.start.value), end = Number(spanForm.elements.end.value);
    if (event.shiftKey) start = Math.min(Math.max(start + step, 0), end - 1);
    else end = Math.min(Math.max(end + step, start + 1), chars.length);
    setSpan(start, end);
  });

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" && (!cellForm.hidden || !spanForm.hidden)) return choose(chosen);
    if (typing(event.target) || event.target === words) return;
    const at = items.indexOf(chosen);
    const moves = {
      j: () => nextOpen(chosen, 1), k: () => nextOpen(chosen || items[items.length - 1], -1),
      J: () => items[at + 1], K: () => items[at - 1],
    };
    if (moves[event.key]) choose(moves[event.key]());
    else if (!press(event.key)) return;
    event.preventDefault();
  });

  const wish = new URLSearchParams(location.search);
  choose(items.find((node) => name(node) === wish.get("at")) || nextOpen(null, 1) || null);
  if (wish.get("edit") && text) edit();
})();
