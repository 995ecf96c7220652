// The map of a page: layers, zoom, and what is under the pointer. Asks for nothing outside the page.
(() => {
  "use strict";
  const content = document.getElementById("sky-data");
  if (!content) return;
  const sky = JSON.parse(content.textContent);
  const find = (id) => document.getElementById(id);
  const canvas = find("sky-map"), pen = canvas.getContext("2d"), bar = find("sky-bar");
  const DEG = Math.PI / 180, ROOT2 = Math.SQRT2, SKY = 90, WIDEST = 75;

  const unpack = (text, Kind) =>
    new Kind(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
  const ipix = unpack(sky.ipix, Int32Array);
  const row = ipix.length === 12 * sky.nside ** 2 ? null : new Map();
  if (row) ipix.forEach((pixel, index) => row.set(pixel, index));
  for (const layer of sky.layers) layer.values = unpack(layer.values, Float32Array);
  for (const line of sky.lines) line.edges = unpack(line.edges, Float32Array);
  const fine = new Map(), fineTs = unpack(sky.fine.ts, Float32Array);
  sky.fine.order.forEach((order, index) => {
    if (!fine.has(order)) fine.set(order, new Map());
    fine.get(order).set(sky.fine.ipix[index], fineTs[index]);
  });
  const orders = [...fine.keys()].sort((a, b) => b - a);

  // --- the sphere ---
  const turn = (m, v) => m.map((r) => r[0] * v[0] + r[1] * v[1] + r[2] * v[2]);
  const turnBack = (m, v) => [0, 1, 2].map((k) => m[0][k] * v[0] + m[1][k] * v[1] + m[2][k] * v[2]);
  const toVec = (lon, lat) =>
    [Math.cos(lat * DEG) * Math.cos(lon * DEG), Math.cos(lat * DEG) * Math.sin(lon * DEG), Math.sin(lat * DEG)];
  const toLonLat = (v) =>
    [((Math.atan2(v[1], v[0]) / DEG) % 360 + 360) % 360, Math.asin(Math.max(-1, Math.min(1, v[2]))) / DEG];

  // Nested pixel of a direction: its position in the HEALPix projection (Calabretta and Roukema
  // 2007, MNRAS 381, 865, equations 1 to 5), turned by 45 degrees, in which base pixels are squares.
  function nested(nside, v) {
    const z = v[2], phi = ((Math.atan2(v[1], v[0]) / (Math.PI / 2)) % 4 + 4) % 4;
    const inside = (t) => Math.max(0, Math.min(nside - 1, Math.floor(t * nside)));
    let face, ix, iy;
    if (Math.abs(z) <= 2 / 3) {
      const u = phi + 0.75 * z + 0.5, w = 0.75 * z - phi + 0.5;
      const iu = Math.floor(u), iw = Math.floor(w), cap = iu + iw;
      face = cap > 0 ? (((iu - 1) % 4) + 4) % 4 : cap < 0 ? 8 + (iu % 4 + 4) % 4 : 4 + (iu % 4 + 4) % 4;
      ix = inside(u - iu); iy = inside(w - iw);
    } else {
      const q = Math.min(3, Math.floor(phi)), sigma = Math.sqrt(3 * (1 - Math.abs(z)));
      const x = (phi - q - 0.5) * sigma, y = (z > 0 ? 1 : -1) * (1 - sigma / 2);
      face = z > 0 ? q : 8 + q;
      const middle = z > 0 ? 0.5 : -0.5;
      ix = inside(x + y - middle + 0.5); iy = inside(y - x - middle + 0.5);
    }
    let index = face * nside * nside;
    for (let bit = 1; bit < nside; bit *= 2) {
      index += ((Math.floor(ix / bit) % 2) + 2 * (Math.floor(iy / bit) % 2)) * bit * bit;
    }
    return index;
  }
  function look(v) {
    const pixel = nested(sky.nside, v);
    return row ? (row.has(pixel) ? row.get(pixel) : -1) : pixel;
  }
  function finest(v) {
    if (!orders.length) return NaN;
    const top = orders[0];
    const pixel = nested(2 ** top, turn(sky.fine.to_cells, v));
    for (const order of orders) {
      const value = fine.get(order).get(Math.floor(pixel / 4 ** (top - order)));
      if (value !== undefined) return value;
    }
    return NaN;
  }
  function valueAt(number, v) {
    if (number === 0) {
      const value = finest(v);
      if (!Number.isNaN(value)) return value;
    }
    const index = look(v);
    return index < 0 ? NaN : sky.layers[number].values[index];
  }

  // --- the view: all of the sky (Mollweide), or a part (azimuthal equal-area) ---
  const view = { lon: 0, lat: 0, half: SKY, layer: 0 };
  const isWhole = () => view.half > WIDEST;
  const axes = () => {
    const [lon, lat] = [view.lon * DEG, view.lat * DEG];
    const east = [-Math.sin(lon), Math.cos(lon), 0], centre = toVec(view.lon, view.lat);
    const north = [-Math.sin(lat) * Math.cos(lon), -Math.sin(lat) * Math.sin(lon), Math.cos(lat)];
    return { east, north, centre };
  };
  const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
  function toSky(px, py) {
    const w = canvas.width, h = canvas.height;
    if (isWhole()) {
      const x = (px / w) * 4 - 2, y = 1 - (py / h) * 2;
      if ((x / 2) ** 2 + y * y >= 1) return null;
      const half = Math.asin(y), lat = Math.asin((2 * half + Math.sin(2 * half)) / Math.PI);
      return toVec(view.lon - (90 * x) / Math.cos(half), lat / DEG);
    }
    const scale = (2 * view.half * DEG) / h, x = (px - w / 2) * scale, y = (h / 2 - py) * scale;
    const square = x * x + y * y;
    if (square >= 4) return null;
    const { east, north, centre } = axes(), a = 1 - square / 2, b = Math.sqrt(1 - square / 4);
    return [0, 1, 2].map((k) => a * centre[k] + b * (y * north[k] - x * east[k]));
  }
  function toScreen(v) {
    const w = canvas.width, h = canvas.height;
    if (isWhole()) {
      const [lon, lat] = toLonLat(v), target = Math.PI * Math.sin(lat * DEG);
      let angle = 2 * lat * DEG;
      for (let step = 0; step < 30; step++) {
        const slope = Math.max(1 + Math.cos(angle), 1e-9);
        angle = Math.max(-Math.PI, Math.min(Math.PI, angle - (angle + Math.sin(angle) - target) / slope));
      }
      const away = (((lon - view.lon + 180) % 360) + 360) % 360 - 180;
      const x = (-away / 90) * Math.cos(angle / 2), y = Math.sin(angle / 2);
      return [((x + 2) / 4) * w, ((1 - y) / 2) * h];
    }
    const { east, north, centre } = axes(), depth = dot(v, centre);
    if (depth < -0.5) return null;
    const scale = Math.sqrt(2 / Math.max(1 + depth, 1e-9)) * (h / (2 * view.half * DEG));
    return [w / 2 - scale * dot(v, east), h / 2 - scale * dot(v, north)];
  }

  // --- drawing ---
  const colour = (layer, value) => {
    const n = sky.colours.length / 3, part = Math.max(0, Math.min(1, value / layer.top));
    return 3 * Math.min(n - 1, Math.floor((layer.is_root ? Math.sqrt(part) : part) * n));
  };
  function drawPixels() {
    const w = canvas.width, h = canvas.height, image = pen.createImageData(w, h);
    const layer = sky.layers[view.layer];
    for (let y = 0; y < h; y++) {
      for (let x = 0; x < w; x++) {
        const v = toSky(x + 0.5, y + 0.5), at = 4 * (y * w + x);
        if (!v) continue;
        const value = valueAt(view.layer, v);
        if (Number.isNaN(value)) {
          image.data.fill(217, at, at + 3);
        } else {
          const from = colour(layer, value);
          for (let k = 0; k < 3; k++) image.data[at + k] = sky.colours[from + k];
        }
        image.data[at + 3] = 255;
      }
    }
    pen.putImageData(image, 0, 0);
  }
  function drawPath(vectors, style, width) {
    pen.strokeStyle = style; pen.lineWidth = width; pen.beginPath();
    let last = null;
    for (const v of vectors) {
      const at = v && toScreen(v);
      const isTorn = last && at && Math.abs(at[0] - last[0]) > canvas.width / 3;
      if (!at) { last = null; continue; }
      if (last && !isTorn) pen.lineTo(...at); else pen.moveTo(...at);
      last = at;
    }
    pen.stroke();
  }
  function drawGrid() {
    const step = [30, 30, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01].find((s) => view.half / s >= 1.5) || 0.01;
    const reach = isWhole() ? 180 : Math.min(180, view.half * 4), n = 60;
    const latLow = Math.max(-90, view.lat - reach), latHigh = Math.min(90, view.lat + reach);
    const wide = Math.min(180, reach / Math.max(0.05, Math.cos(Math.min(88, Math.abs(view.lat)) * DEG)));
    const path = (fixed, low, high, make) => {
      const points = [];
      for (let k = 0; k <= n; k++) points.push(make(fixed, low + ((high - low) * k) / n));
      drawPath(points, "rgba(255,255,255,.35)", 1);
    };
    for (let lat = Math.ceil(latLow / step) * step; lat <= latHigh; lat += step) {
      if (Math.abs(lat) < 90) path(lat, view.lon - wide + 1e-6, view.lon + wide - 1e-6, (a, lon) => toVec(lon, a));
    }
    for (let lon = Math.ceil((view.lon - wide) / step) * step; lon < view.lon + wide; lon += step) {
      path(lon, latLow, latHigh, toVec);
    }
  }
  function drawRegions() {
    for (const line of sky.lines) {
      for (let k = 0; k < line.edges.length; k += 4) {
        const ends = [toVec(line.edges[k], line.edges[k + 1]), toVec(line.edges[k + 2], line.edges[k + 3])];
        drawPath(ends, "black", 3);
      }
      for (let k = 0; k < line.edges.length; k += 4) {
        const ends = [toVec(line.edges[k], line.edges[k + 1]), toVec(line.edges[k + 2], line.edges[k + 3])];
        drawPath(ends, "white", 1.4);
      }
    }
  }
  function drawPoints() {
    for (const point of sky.points) {
      const at = toScreen(turnBack(sky.to_icrs, toVec(point.ra, point.dec)));
      if (!at) continue;
      const isSource = point.kind === "source";
      if (isSource && !find("sky-sources").checked) continue;
      pen.beginPath();
      if (point.kind === "best position") {
        pen.moveTo(at[0] - 7, at[1]); pen.lineTo(at[0] + 7, at[1]);
        pen.moveTo(at[0], at[1] - 7); pen.lineTo(at[0], at[1] + 7);
      } else {
        pen.arc(at[0], at[1], isSource ? 8 : 11, 0, 2 * Math.PI);
      }
      pen.strokeStyle = "black"; pen.lineWidth = 4; pen.stroke();
      pen.strokeStyle = point.kind === "true position" ? "#e8222b" : "white"; pen.lineWidth = 2; pen.stroke();
    }
  }
  function drawBar() {
    const layer = sky.layers[view.layer], n = sky.colours.length / 3, stops = [];
    for (let k = 0; k < n; k += 3) stops.push(`rgb(${sky.colours.slice(3 * k, 3 * k + 3)})`);
    bar.style.background = `linear-gradient(to right, ${stops})`;
    find("sky-top").textContent = `${number(layer.top)} ${layer.unit}`;
    find("sky-stretch").textContent = `${layer.label}, ${layer.is_root ? "square-root" : "linear"} scale`;
  }
  let isAsked = false;
  function draw() {
    if (isAsked) return;
    isAsked = true;
    requestAnimationFrame(() => {
      isAsked = false;
      pen.clearRect(0, 0, canvas.width, canvas.height);
      drawPixels();
      if (find("sky-grid").checked) drawGrid();
      if (find("sky-regions").checked) drawRegions();
      drawPoints();
      drawBar();
      canvas.dataset.drawn = "yes";
    });
  }

  // --- what is under the pointer ---
  function number(value) {
    if (!Number.isFinite(value)) return "–";
    if (value === 0) return "0";
    return Math.abs(value) >= 1e-3 && Math.abs(value) < 1e6 ? String(Number(value.toPrecision(3))) : value.toExponential(2);
  }
  function tell(v) {
    const digits = view.half < 1 ? 4 : 2;
    const shown = (m) => toLonLat(turn(m, v)).map((x) => x.toFixed(digits));
    const [ra, dec] = shown(sky.to_icrs), [l, b] = shown(sky.to_galactic);
    const values = sky.layers.map((layer, at) => `${layer.label} ${number(valueAt(at, v))} ${layer.unit}`.trim());
    const near = sky.points.find((point) => {
      const at = toScreen(turnBack(sky.to_icrs, toVec(point.ra, point.dec))), here = toScreen(v);
      return at && here && Math.hypot(at[0] - here[0], at[1] - here[1]) < 12;
    });
    const out = find("sky-told");
    out.textContent = [`R.A. ${ra}°, Dec. ${dec}°`, `l ${l}°, b ${b}°`, ...values, near ? near.label : ""]
      .filter(Boolean).join(" · ");
    Object.assign(out.dataset, { ra, dec, l, b, ts: valueAt(0, v), flux: sky.layers[1].values[look(v)] });
  }
  function pin(v) {
    const [ra, dec] = toLonLat(turn(sky.to_icrs, v)).map((x) => x.toFixed(5));
    for (const link of document.querySelectorAll("#sky-links a")) {
      link.href = link.dataset.pattern.replaceAll("{ra}", ra).replaceAll("{dec}", dec);
    }
    find("sky-pinned").textContent = `R.A. ${ra}°, Dec. ${dec}°`;
  }
  const under = (event) => {
    const box = canvas.getBoundingClientRect();
    return toSky(((event.clientX - box.left) / box.width) * canvas.width,
      ((event.clientY - box.top) / box.height) * canvas.height);
  };
  function zoom(factor, v) {
    if (v && (factor < 1 || !isWhole())) [view.lon, view.lat] = toLonLat(v);
    view.half = Math.max(0.005, Math.min(SKY, (factor < 1 && isWhole() ? WIDEST * 0.8 : view.half) * factor));
    if (isWhole()) Object.assign(view, { lon: 0, lat: 0, half: SKY });
    draw();
  }
  let held = null;
  canvas.addEventListener("pointermove", (event) => {
    const v = under(event);
    if (held && !isWhole() && event.buttons) {
      const scale = (2 * view.half) / canvas.clientHeight;
      const away = Math.max(0.05, Math.cos(view.lat * DEG));
      view.lon += ((event.clientX - held[0]) * scale) / away;
      view.lat = Math.max(-89.9, Math.min(89.9, view.lat + (event.clientY - held[1]) * scale));
      held = [event.clientX, event.clientY];
      draw();
    }
    if (v) tell(v);
  });
  canvas.addEventListener("pointerdown", (event) => { held = [event.clientX, event.clientY]; });
  window.addEventListener("pointerup", () => { held = null; });
  canvas.addEventListener("click", (event) => { const v = under(event); if (v) { tell(v); pin(v); } });
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom(event.deltaY < 0 ? 0.8 : 1.25, under(event));
  }, { passive: false });
  canvas.addEventListener("dblclick", (event) => zoom(0.4, under(event)));
  const middle = () => (isWhole() ? start : toVec(view.lon, view.lat));
  find("sky-in").addEventListener("click", () => zoom(0.5, middle()));
  find("sky-out").addEventListener("click", () => zoom(2, middle()));
  find("sky-all").addEventListener("click", () => { view.half = SKY; zoom(1, null); });
  for (const id of ["sky-grid", "sky-regions", "sky-sources"]) find(id).addEventListener("change", draw);
  const choice = find("sky-layer");
  sky.layers.forEach((layer, at) => choice.add(new Option(layer.label, String(at))));
  choice.addEventListener("change", () => { view.layer = Number(choice.value); draw(); });

  const first = sky.points[0];
  const start = first ? turnBack(sky.to_icrs, toVec(first.ra, first.dec)) : toVec(0, 0);
  if (sky.view) [view.lon, view.lat, view.half] = sky.view;
  find("sky").hidden = false;
  const fit = () => {
    const width = Math.max(280, Math.min(900, canvas.parentElement.clientWidth));
    canvas.width = width; canvas.height = Math.round(width / 2);
    draw();
  };
  window.addEventListener("resize", fit);
  window.skyquilt = { toScreen, toSky, nested, toVec, turnBack, sky, view };
  fit(); tell(start); pin(start);
})();
