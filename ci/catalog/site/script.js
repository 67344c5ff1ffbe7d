// Copying, and choosing a way from one version to another. Everything it needs is in the page; without it the page is whole.
"use strict";

(() => {
  const said = document.getElementById("said");

  const byHand = (text) => { // where the clipboard is closed to pages, as over plain HTTP
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "unseen";
    document.body.append(area);
    area.select();
    let done = false;
    try { done = document.execCommand("copy"); } catch { /* it is false */ }
    area.remove();
    return done;
  };

  const copy = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      return byHand(text);
    }
  };

  for (const button of document.querySelectorAll("button.copy")) {
    const label = button.firstChild;
    button.hidden = false;
    button.addEventListener("click", async () => {
      const text = button.dataset.copy ?? button.parentElement.querySelector("code").textContent;
      const done = await copy(text);
      button.focus();
      label.data = done ? "Copied" : "Select it";
      said.textContent = "";
      setTimeout(() => { said.textContent = done ? "Copied" : "It could not be copied; select the text."; }, 50);
      clearTimeout(button.timer);
      button.timer = setTimeout(() => { label.data = "Copy"; }, 2000);
    });
  }

  const choose = document.getElementById("choose");
  if (!choose) return;
  const from = document.getElementById("from"), to = document.getElementById("to"), way = document.getElementById("way");

  const versions = new Map();
  const steps = [...document.querySelectorAll("section.step")].map((section) => {
    const step = {
      section,
      goal: section.querySelector(".goal"),
      unknown: section.querySelector(".unknown"),
      goalHTML: [...section.querySelector(".goal").childNodes],
      commands: [...section.querySelectorAll(".commands")].map((box) => ({ box, numbers: box.dataset.in.split(" ").map(Number) })),
      items: [],
    };
    step.items = [...section.querySelectorAll(".asked > li")].map((li) => {
      const v = {
        li, step, name: li.dataset.v, n: Number(li.dataset.n), asks: Number(li.dataset.asks), candidate: "rc" in li.dataset,
        bad: li.dataset.bad, back: li.dataset.back, page: li.querySelector("a").getAttribute("href"),
      };
      versions.set(v.name, v);
      return v;
    });
    step.stop = versions.get(section.dataset.to);
    return step;
  });

  const element = (name, className, ...children) => {
    const e = document.createElement(name);
    if (className) e.className = className;
    e.append(...children);
    return e;
  };
  const linkTo = (href, text) => {
    const a = element("a", "", text);
    a.href = href;
    return a;
  };

  // end makes a step lead to a version of its own; without one it is passed.
  const end = (step, v) => {
    if (v) step.goal.replaceChildren(": ", element("b", "version", v.name));
    else step.goal.replaceChildren(...step.goalHTML);
    let shown = false;
    for (const { box, numbers } of step.commands) {
      box.hidden = shown || !v || !numbers.includes(v.n);
      shown = shown || !box.hidden;
      if (!box.hidden) for (const b of box.querySelectorAll(".semver")) b.textContent = v.name.slice(1);
    }
    step.unknown.hidden = shown || !v;
  };

  const show = () => {
    const x = versions.get(from.value), y = versions.get(to.value);
    const last = steps.indexOf(y.step), first = x ? steps.indexOf(x.step) : -1;
    const path = x ? [x.name] : [];
    let asks = 0;
    const open = !x || x.n < y.n;
    steps.forEach((step, i) => {
      const goal = i === last ? y : step.stop;
      // One's own minor version first: the guide of the next is told from its newest.
      const own = i === first && step.stop?.n > x.n;
      const passed = open && i <= last && (i > first || i === last || own);
      let some = false;
      for (const v of step.items) {
        const on = passed && (v === y || !v.candidate) && v.n <= (goal ?? y).n && (!x || v.n > x.n);
        v.li.hidden = !on;
        if (on) { asks += v.asks; some = true; }
      }
      step.section.hidden = !some;
      end(step, goal);
      if (some && goal) path.push(goal.name);
    });

    const line = (names) => element("p", "path", ...names.flatMap((name, i) => [i ? " → " : "", element("b", "", name)]));
    const told = [];
    const warn = (v) => { if (v.bad) told.push(element("p", "warning", `${v.name} is ${v.bad}: do not begin to use it.`)); };
    if (!x) {
      warn(y);
      told.push(element("p", "", "Choose the version that you run."));
    } else if (x === y) {
      told.push(element("p", "path", "Nothing to do"), element("p", "", `${x.name} is the version that you run.`));
      if (x.bad) told.push(element("p", "warning", `${x.name} is ${x.bad}.`));
    } else if (!open) {
      told.push(line([x.name, y.name]));
      warn(y);
      const p = element("p", "", `${x.name} is newer than ${y.name}, so you go back. What you lose, and how to go back, is in `);
      p.append(x.back ? linkTo(x.back, `the guide of ${x.name}, under "Going back"`) : linkTo(x.page, `what is known of ${x.name}`), ".");
      told.push(p);
    } else {
      told.push(line(path));
      warn(y);
      const number = path.length - 1;
      told.push(element("p", "", `${number === 1 ? "One step" : `${number} steps`}; ${asks === 0 ? "no change on your side is known to be needed." : asks === 1 ? "one change is needed on your side." : `${asks} changes are needed on your side.`}`));
    }
    way.replaceChildren(...told);
  };

  const hash = () => {
    const parts = [];
    if (from.value) parts.push(`from=${from.value}`);
    parts.push(`to=${to.value}`);
    return `#${parts.join("&")}`;
  };

  const read = () => {
    const asked = new URLSearchParams(location.hash.slice(1));
    if (!asked.has("from") && !asked.has("to")) {
      if (location.hash) return false; // a part of the page
      to.value = to.dataset.run ?? to.options[0].value;
      from.value = "";
      return true;
    }
    const unknown = [asked.get("from"), asked.get("to")].filter((v) => v && !versions.has(v));
    from.value = versions.has(asked.get("from")) ? asked.get("from") : "";
    to.value = versions.has(asked.get("to")) ? asked.get("to") : to.dataset.run ?? to.options[0].value;
    show();
    if (unknown.length) way.prepend(element("p", "warning", `${unknown.join(" and ")} ${unknown.length > 1 ? "are" : "is"} not known here.`));
    return false;
  };

  const change = () => {
    show();
    try { history.replaceState(null, "", hash()); } catch { location.replace(hash()); }
  };

  choose.hidden = false;
  from.addEventListener("change", change);
  to.addEventListener("change", change);
  addEventListener("hashchange", () => { if (read()) show(); });
  to.value = to.dataset.run ?? to.options[0].value;
  if (read() || !way.hasChildNodes()) show();
})();
