// The chart of speed: the page's own figures, drawn anew whenever a poll brings new ones.
(() => {
  "use strict";

  let chart = null;
  const colour = (name) => getComputedStyle(document.body).getPropertyValue(name).trim();

  const draw = () => {
    const place = document.querySelector("[data-speed-chart]");
    const source = document.getElementById("speeds");
    if (!place || !source) return;
    const points = JSON.parse(source.textContent);
    const first = points.length ? points[0][0] : 0;
    const data = points.map(([at, speed]) => ({ x: at - first, y: speed }));
    const rate = Number(place.dataset.rate);
    const end = data.length ? data[data.length - 1].x : 0;
    const limit = rate ? [{ x: 0, y: rate }, { x: end, y: rate }] : [];
    const canvas = place.querySelector("canvas");
    if (chart && chart.canvas !== canvas) {
      chart.destroy();
      chart = null;
    }
    if (chart) {
      chart.data.datasets[0].data = data;
      chart.data.datasets[1].data = limit;
      chart.resize(); // merging the page took the canvas its size
      chart.update("none");
      return;
    }
    // In the organization's zone, like every other time of the page.
    const zone = Number(place.dataset.zone);
    const clock = (seconds) => new Date((first + seconds + zone) * 1000).toISOString().slice(11, 19);
    const text = colour("--tblr-secondary");
    chart = new Chart(canvas, {
      type: "line",
      data: {
        datasets: [
          { label: "segments a second", data, borderColor: colour("--tblr-link-color"), borderWidth: 2, pointRadius: data.length < 30 ? 2 : 0 },
          { label: "the number allows", data: limit, borderColor: colour("--bad"), borderDash: [6, 4], borderWidth: 1.5, pointRadius: 0 },
        ],
      },
      options: {
        animation: false,
        parsing: false,
        maintainAspectRatio: false,
        scales: {
          x: { type: "linear", ticks: { color: text, maxTicksLimit: 5, callback: clock }, grid: { display: false } },
          y: { beginAtZero: true, ticks: { color: text, maxTicksLimit: 5 }, grid: { color: colour("--bar") } },
        },
        plugins: { legend: { display: false } },
      },
    });
  };

  document.addEventListener("DOMContentLoaded", draw);
  document.addEventListener("htmx:afterSettle", draw);
})();
