// What the pages need beside htmx: the CSRF header, questions before a change, charts. No page depends on it.
"use strict";

(() => {
  const { nonce } = document.currentScript; // the policy of the page asks each script for it
  const token = document.querySelector('meta[name="csrf-token"]')?.content;

  document.addEventListener("htmx:configRequest", (event) => {
    event.detail.headers["X-CSRFToken"] = token;
  });

  document.addEventListener("submit", (event) => {
    const question = event.target.dataset.confirm;
    if (question && !window.confirm(question)) {
      event.preventDefault();
      return;
    }
    // A second click must not send a second time. Only after the form's data has been taken.
    setTimeout(() => {
      for (const button of event.target.querySelectorAll('button[type="submit"]')) button.disabled = true;
    });
  });
  // Coming back with the browser's "back" shows the page as it was left: let its buttons work again.
  window.addEventListener("pageshow", () => {
    for (const button of document.querySelectorAll('button[type="submit"]:disabled')) button.disabled = false;
  });

  // A field that counts only while another one has a certain value is shown only then.
  for (const part of document.querySelectorAll("[data-only-if]")) {
    const [name, values] = part.dataset.onlyIf.split("=");
    const other = part.closest("form")?.elements[name];
    if (!other) continue;
    const show = () => { part.hidden = !values.split("|").includes(other.value); };
    other.addEventListener("change", show);
    show();
  }

  // Whoever leaves a form with unsaved work is asked first.
  for (const form of document.querySelectorAll("form[data-unsaved]")) {
    const content = () => JSON.stringify([...new FormData(form)].map(([name, value]) => [name, value.name ?? value]));
    const before = content();
    let sent = false;
    form.addEventListener("submit", () => { sent = true; });
    window.addEventListener("beforeunload", (event) => {
      if (!sent && content() !== before) event.preventDefault();
    });
  }

  // The box above a column of boxes chooses every row of the page; the lists come and go by htmx.
  document.addEventListener("change", (event) => {
    const name = event.target.dataset?.checkAll;
    if (!name) return;
    for (const box of document.querySelectorAll(`input[type="checkbox"][name="${name}"]`)) box.checked = event.target.checked;
  });

  // Charts: ECharts is fetched only on a page that has one.
  const font = getComputedStyle(document.body).fontFamily;
  const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
  const hundredths = new Intl.NumberFormat("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  const number = { format: (value) => (Number.isInteger(value) ? whole : hundredths).format(value) };
  const figures = (rows) => (rows.every(([, value]) => Number.isInteger(value)) ? whole : hundredths);
  // Drawn on the canvas, since a tooltip of HTML would need inline styles.
  const tooltip = (rows, unit) => ({
    renderMode: "richText",
    confine: true,
    formatter: ({ name, value }) => {
      const shown = Array.isArray(value) ? value[2] : value;
      return `${name}  ${Number.isFinite(shown) ? figures(rows).format(shown) : "—"} ${unit}`;
    },
  });

  function bars({ rows, unit }) {
    const ordered = [...rows].reverse();
    return {
      textStyle: { fontFamily: font },
      tooltip: tooltip(rows, unit),
      grid: { left: 8, right: 72, top: 8, bottom: 8, containLabel: true },
      xAxis: { type: "value", axisLabel: { formatter: (value) => number.format(value), hideOverlap: true } },
      yAxis: { type: "category", data: ordered.map(([name]) => name), axisTick: { show: false } },
      series: [{
        type: "bar",
        data: ordered.map(([, value]) => value),
        barMaxWidth: 22,
        itemStyle: { color: "#0b5cad", borderRadius: [0, 3, 3, 0] },
        label: { show: true, position: "right", formatter: ({ value }) => figures(rows).format(value) },
      }],
    };
  }

  // Yangling is a union of city rank, but no city of the map: a point with its name.
  const POINTS = { 杨凌: [108.08, 34.27] };
  const label = { show: true, fontSize: 11, color: "#17253a", textBorderColor: "#fff", textBorderWidth: 2 };
  const short = (name) => name.replace(/市$|示范区$|农业高新技术产业示范区$/g, "");

  function map({ rows, unit, points: places = [] }, known) {
    const onMap = rows.filter(([name]) => known.has(name));
    const points = rows.flatMap(([name, value]) => {
      const key = Object.keys(POINTS).find((point) => name.startsWith(point));
      return key ? [{ name, value: [...POINTS[key], value] }] : [];
    });
    const values = rows.map(([, value]) => value);
    return {
      textStyle: { fontFamily: font },
      tooltip: tooltip(rows, unit),
      visualMap: {
        min: Math.min(0, ...values), max: Math.max(1, ...values), left: 8, bottom: 8, itemHeight: 90,
        text: [figures(rows).format(Math.max(1, ...values)), "0"], inRange: { color: ["#e3eefa", "#7fb0e0", "#0b5cad"] },
        seriesIndex: 0, calculable: false,
      },
      geo: {
        map: "shaanxi", aspectScale: 0.82, layoutCenter: ["52%", "50%"], layoutSize: "96%",
        label: { ...label, formatter: ({ name }) => short(name) },
        itemStyle: { areaColor: "#eef2f7", borderColor: "#fff" },
        emphasis: { itemStyle: { areaColor: "#ffd766" } }, select: { disabled: true },
      },
      series: [
        { type: "map", geoIndex: 0, data: onMap.map(([name, value]) => ({ name, value })) },
        {
          type: "scatter", coordinateSystem: "geo", data: points, symbolSize: 11,
          itemStyle: { color: "#b3202a", borderColor: "#fff", borderWidth: 1.5 },
          label: { ...label, position: "bottom", formatter: ({ name }) => short(name) },
        },
        {
          type: "scatter", coordinateSystem: "geo", symbolSize: 6, itemStyle: { color: "#b3202a", opacity: 0.8 },
          data: places.map(([name, east, north]) => ({ name, value: [east, north] })),
          tooltip: { formatter: ({ name }) => name },
        },
      ],
    };
  }

  const library = () => window.echarts ?? new Promise((resolve, reject) => {
    const source = document.querySelector('meta[name="echarts"]').content;
    const script = Object.assign(document.createElement("script"), { nonce, src: source, onerror: reject });
    script.onload = () => resolve(window.echarts);
    document.head.append(script);
  });

  let loading;
  async function draw(element) {
    const echarts = await (loading ??= library());
    const data = JSON.parse(element.querySelector("script").textContent);
    let option;
    if (element.dataset.map) {
      const shapes = await (await fetch(element.dataset.map)).json();
      echarts.registerMap("shaanxi", shapes);
      option = map(data, new Set(shapes.features.map(({ properties }) => properties.name)));
    } else {
      element.style.height = `${Math.max(10, data.rows.length * 2 + 3)}rem`;
      option = bars(data);
    }
    const chart = echarts.init(element, null, { renderer: "canvas" });
    chart.setOption({ animation: false, ...option });
    new ResizeObserver(() => chart.resize()).observe(element);
  }

  const drawAll = (root) => {
    for (const element of root.querySelectorAll("[data-chart], [data-map]")) draw(element);
  };
  document.addEventListener("htmx:afterSwap", (event) => drawAll(event.target));
  drawAll(document);
})();
