// Shows the values of an epoch by pointer or arrow keys, and lets the legend hide runs. The page is complete without it.
"use strict";
{
  const element = (name, text, className) => {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    if (className) made.className = className;
    return made;
  };
  const hidden = new Set();

  for (const chart of document.querySelectorAll("figure.chart")) {
    const data = JSON.parse(chart.querySelector("script").textContent);
    // There is a plot for each scale; only one is visible.
    let svg = chart.querySelector("svg.plot");
    const tip = chart.querySelector(".tip");
    let epoch = data.last;

    const table = () => {
      const made = element("table");
      const head = made.createTHead().insertRow();
      head.append(element("th", `epoch ${epoch}`), element("th", data.scored, "number"), element("th", "training", "number"));
      const body = made.createTBody();
      for (const series of data.series) {
        const at = series.epochs.indexOf(epoch);
        if (at < 0 || hidden.has(String(series.run))) continue;
        const row = body.insertRow();
        const name = element("th");
        name.append(element("span", "", `chip ${series.look}`), series.name);
        const digits = data.unit === "per cent" ? 2 : 4;
        row.append(name, element("td", series.test[at].toFixed(digits), "number"), element("td", series.train[at].toFixed(digits), "number"));
      }
      return made;
    };
    const show = () => {
      const span = Math.max(data.last - data.first, 1);
      const share = data.first === data.last ? 0.5 : (epoch - data.first) / span;
      const x = data.left + (data.width - data.left - data.right) * share;
      const cursor = svg.querySelector(".cursor");
      cursor.setAttribute("x1", x);
      cursor.setAttribute("x2", x);
      cursor.style.visibility = "visible";
      tip.replaceChildren(table());
      tip.hidden = false;
      const scale = svg.clientWidth / data.width;
      const right = svg.offsetLeft ?? 0;
      const place = svg.getBoundingClientRect().left - chart.getBoundingClientRect().left + x * scale + right;
      const left = place + 14 + tip.offsetWidth > chart.clientWidth ? place - 14 - tip.offsetWidth : place + 14;
      tip.style.left = `${Math.max(8, Math.min(left, chart.clientWidth - tip.offsetWidth - 8))}px`;
      tip.style.top = `${svg.getBoundingClientRect().top - chart.getBoundingClientRect().top + 12}px`;
    };
    const hide = () => {
      tip.hidden = true;
      svg.querySelector(".cursor").style.visibility = "hidden";
    };
    const known = [...new Set(data.series.flatMap((series) => series.epochs))].sort((a, b) => a - b);
    const nearest = (wanted) => known.reduce((best, next) => (Math.abs(next - wanted) < Math.abs(best - wanted) ? next : best));
    const follow = (event) => {
      const box = svg.getBoundingClientRect();
      const x = ((event.clientX - box.left) / box.width) * data.width;
      const share = (x - data.left) / (data.width - data.left - data.right);
      epoch = nearest(data.first + share * (data.last - data.first));
      show();
    };
    const keys = (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (event.key === "Escape") hide();
      if (!step) return;
      event.preventDefault();
      epoch = known[Math.max(0, Math.min(known.length - 1, known.indexOf(epoch) + step))];
      show();
    };
    for (const plot of chart.querySelectorAll("svg.plot")) {
      const on = (name, react) => plot.addEventListener(name, (event) => { svg = plot; react(event); });
      on("pointermove", follow);
      on("pointerdown", follow);
      on("pointerleave", hide);
      on("blur", hide);
      on("keydown", keys);
    }
  }

  for (const button of document.querySelectorAll(".legend button")) {
    button.addEventListener("click", () => {
      const run = button.dataset.run;
      const off = !hidden.delete(run);
      if (off) hidden.add(run);
      button.setAttribute("aria-pressed", String(!off));
      for (const line of document.querySelectorAll(`.line[data-run="${run}"]`)) line.classList.toggle("off", off);
    });
  }

  // A reloaded page keeps the chosen scales.
  for (const input of document.querySelectorAll(".scale input")) {
    const key = `tanner ${location.pathname} ${input.name}`;
    try {
      if (sessionStorage.getItem(key) === input.value) input.checked = true;
      input.addEventListener("change", () => sessionStorage.setItem(key, input.value));
    } catch { /* Some browsers have no storage for local files. */ }
  }

  // A link to a collapsed run opens it.
  const open = () => {
    const folded = document.querySelector(`${location.hash || "#none"} > details`);
    if (folded) folded.open = true;
  };
  addEventListener("hashchange", open);
  open();
  document.documentElement.dataset.script = "ready";
}
