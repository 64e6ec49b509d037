// A line of production in motion: what was simulated or metered is sent once and played here; nothing is asked of the server.
// Plan (SVG), bands of states (canvas) and the boxes of a 3D scene are drawn from the same moment.
(() => {
  const NS = 'http://www.w3.org/2000/svg';
  const SPEEDS = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1200, 3600];
  const TENTHS = 10, DOTS_A_WAY = 14, LEAST_WAY_S = 4, WAY_SHOWN_S = 0.9, TABLE_MS = 1000, TEXT_MS = 100;
  const NARROW_PX = 640, DESCENT = 14, MOST_LARGE = 1.35, SCENE_ASPECT = 1.9;
  const players = new Map();

  const make = (tag, attributes = {}, ...inside) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...inside);
    return node;
  };
  const draw = (tag, attributes = {}, text = null) => {
    const node = document.createElementNS(NS, tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    if (text !== null) node.textContent = text;
    return node;
  };
  const latest = (at, t) => { // place of the last moment that is not after t, -1 before the first
    let low = 0, high = at.length;
    while (low < high) { const middle = (low + high) >> 1; if (at[middle] <= t) low = middle + 1; else high = middle; }
    return low - 1;
  };
  const along = (c, f) => { // a point of a cubic curve
    const g = 1 - f, a = g * g * g, b = 3 * g * g * f, d = 3 * g * f * f, e = f * f * f;
    return [a * c[0] + b * c[2] + d * c[4] + e * c[6], a * c[1] + b * c[3] + d * c[5] + e * c[7]];
  };

  async function unpacked(packed) {
    const bytes = Uint8Array.from(atob(packed.bytes), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'));
    const raw = await new Response(stream).arrayBuffer(), n = packed.count;
    const step = new Uint32Array(raw, 0, n), at = new Float64Array(n);
    let sum = 0;
    for (let i = 0; i < n; i++) { sum += step[i]; at[i] = sum / TENTHS; }
    return {at, track: new Uint16Array(raw, 4 * n, n), value: new Int16Array(raw, 6 * n, n), via: new Int16Array(raw, 8 * n, n)};
  }

  class Player {
    constructor(root, data) {
      this.root = root; this.data = data; this.words = data.words;
      this.machines = data.stationOf.length;
      this.wayOut = this.machines + data.buffers.length;
      this.calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
      this.t = 0; this.speed = data.speed; this.playing = false; this.shown = {}; this.dots = []; this.scene = null; this.lastText = 0; this.lastTable = 0;
      this.stationState = new Array(data.stations.length).fill(-1);
      this.levels = data.start.slice(this.machines, this.wayOut);
      this.live = data.source === 'live';
      this.tracks = data.start.map((value) => ({at: new Float64Array(0), value: [], start: value}));
      this.passes = new Map();
    }

    async open() {
      if (this.data.packed) {
        if (!window.DecompressionStream) { this.root.replaceChildren(make('p', {role: 'alert'}, this.words.old)); return; }
        this.sort(await unpacked(this.data.packed));
      }
      this.machinesOf = this.data.stations.map((_, s) => this.data.stationOf.flatMap((own, k) => (own === s ? [k] : [])));
      this.build();
      const first = this.firstWork();
      this.seek(first);
      if (!this.live && !this.calm && this.data.autoplay) this.play(true);
      new ResizeObserver(() => this.resized()).observe(this.root);
      new MutationObserver(() => this.bands()).observe(document.body, {attributes: true, attributeFilter: ['class']});
      this.root.dataset.ready = '1';
    }

    sort(rows) { // moves by track, and every passing of a piece by the way it took
      const counts = new Array(this.wayOut + 1).fill(0);
      for (const track of rows.track) counts[track]++;
      this.tracks.forEach((one, k) => { one.at = new Float64Array(counts[k]); one.value = new Int16Array(counts[k]); one.fill = 0; });
      const now = this.data.start.slice();
      for (let i = 0; i < rows.at.length; i++) {
        const k = rows.track[i], one = this.tracks[k];
        one.at[one.fill] = rows.at[i]; one.value[one.fill++] = rows.value[i];
        if (k >= this.machines && k < this.wayOut && rows.via[i] >= 0) {
          const station = this.data.stations[rows.via[i]].id, buffer = this.data.buffers[k - this.machines].id;
          const up = rows.value[i] > now[k], way = up ? `${station}>${buffer}` : `${buffer}>${station}`;
          if (!this.passes.has(way)) this.passes.set(way, []);
          for (let n = Math.abs(rows.value[i] - now[k]); n > 0; n--) this.passes.get(way).push(rows.at[i]);
        }
        now[k] = rows.value[i];
      }
    }

    valueAt(k, t) {
      const one = this.tracks[k], place = latest(one.at, t);
      return place < 0 ? one.start : one.value[place];
    }

    firstWork() {
      let found = Infinity;
      this.tracks.slice(0, this.machines).forEach((one) => {
        const place = Array.prototype.indexOf.call(one.value, this.data.working);
        if (place >= 0) found = Math.min(found, one.at[place]);
      });
      return Number.isFinite(found) ? Math.max(found - 60, 0) : 0;
    }

    // ------------------------------------------------------------------ what stands on the page
    build() {
      this.plan = make('div', {class: 'zf-line-plan'});
      this.figures = make('div', {class: 'zf-line-figures'});
      this.root.replaceChildren(this.figures, ...(this.live ? [] : [this.bar()]), this.plan);
      const below = [this.legend()]; // a scene stands between
      if (!this.live && this.data.bands) below.push(this.bandsBox());
      if (this.data.table) below.push(this.tableBox());
      document.getElementById(`${this.root.id}-below`)?.replaceChildren(...below);
      this.counterNodes = this.data.figures.map((one) => {
        const value = make('span', {class: 'zf-line-value'}, '–');
        this.figures.append(make('div', {class: 'zf-line-figure', 'data-figure': one.id}, make('span', {class: 'zf-line-title'}, one.title), make('span', {}, value, make('span', {class: 'zf-line-unit'}, one.unit))));
        return value;
      });
      this.planned();
    }

    planned() { // the plan that fits the width
      const wide = !this.root.clientWidth || this.root.clientWidth >= NARROW_PX || !this.data.plans.narrow;
      const name = wide ? 'wide' : 'narrow';
      if (this.planName === name) return;
      this.planName = name;
      const plan = this.layout = this.data.plans[name], [w, h] = plan.size;
      const svg = this.svg = draw('svg', {viewBox: `0 0 ${w} ${h}`, role: 'img', 'aria-label': this.words.plan, class: 'zf-line-svg'});
      svg.style.maxWidth = this.root.closest('.zf-wall') ? '' : `${MOST_LARGE * w}px`;
      svg.append(this.patterns());
      for (const [shop, x, y, width, height] of plan.areas) {
        svg.append(draw('rect', {x, y, width, height, rx: 8, class: 'zf-line-area'}), draw('text', {x: x + 12, y: y + 18, class: 'zf-line-shop'}, this.data.shops[shop] ?? shop));
      }
      this.ways = plan.edges.map(([source, target, rework, ...curve]) => {
        const [a, b, c, d, e, f, g, i] = curve;
        const path = draw('path', {d: `M${a},${b}C${c},${d} ${e},${f} ${g},${i}`, class: rework ? 'zf-line-way zf-line-rework' : 'zf-line-way', 'marker-end': `url(#zf-tip-${this.root.id})`});
        svg.append(path);
        const put = this.data.stations.some((one) => one.id === source);
        const buffer = this.data.buffers.find((one) => one.id === (put ? target : source));
        return {source, target, curve, path, put, travel: put ? buffer.travel : 0, passes: this.passes.get(`${source}>${target}`) ?? [], flowing: null};
      });
      this.stationNodes = this.data.stations.map((one) => this.stationBox(svg, one, plan.spots[one.id]));
      this.bufferNodes = this.data.buffers.map((one) => this.bufferBox(svg, one, plan.spots[one.id]));
      this.dotBox = draw('g', {'aria-hidden': 'true'});
      svg.append(this.dotBox);
      this.dots = []; this.shown = {};
      this.plan.replaceChildren(svg);
    }

    patterns() {
      const defs = draw('defs');
      const hatch = draw('pattern', {id: `zf-hatch-${this.root.id}`, width: 6, height: 6, patternUnits: 'userSpaceOnUse', patternTransform: 'rotate(45)'});
      hatch.append(draw('rect', {width: 3, height: 6, fill: '#fff', 'fill-opacity': 0.65}));
      const tip = draw('marker', {id: `zf-tip-${this.root.id}`, viewBox: '0 0 6 6', refX: 5.5, refY: 3, markerWidth: 8, markerHeight: 8, markerUnits: 'userSpaceOnUse', orient: 'auto-start-reverse'});
      tip.append(draw('path', {d: 'M0,0L6,3L0,6z', fill: 'var(--zf-line)'}));
      defs.append(hatch, tip);
      return defs;
    }

    stationBox(svg, one, [x, y, w, h]) {
      const left = x - w / 2, top = y - h / 2, box = draw('g', {'data-station': one.id});
      const frame = draw('rect', {x: left, y: top, width: w, height: h, rx: 6, class: 'zf-line-station'});
      const strip = draw('rect', {x: left, y: top, width: 16, height: h, rx: 6});
      const over = draw('rect', {x: left, y: top, width: 16, height: h, rx: 6, fill: 'none'});
      box.append(draw('title', {}, one.title), frame, strip, over);
      (w < 130 ? one.few : one.lines).forEach((line, n) => box.append(draw('text', {x: left + 24, y: top + 20 + 16 * n, class: 'zf-line-name'}, line)));
      const state = draw('text', {x: left + 24, y: top + h - 10, class: 'zf-line-state'});
      const power = draw('text', {x: left + 24, y: top + h - 27, class: 'zf-line-power'});
      box.append(state, power);
      const squares = one.machines > 1 && w > 130 ? Array.from({length: Math.min(one.machines, 8)}, (_, n) => {
        const square = draw('rect', {x: left + w - 12 - 12 * n, y: top + h - 36, width: 9, height: 9, class: 'zf-line-machine'});
        box.append(square);
        return square;
      }) : [];
      if (one.id === this.data.bottleneck) {
        const wide = this.words.bottleneck.length * (this.words.bottleneck.charCodeAt(0) > 0x2e80 ? 12 : 6.6) + 12;
        box.append(draw('rect', {x: left + w - wide, y: top - 15, width: wide, height: 17, rx: 8, class: 'zf-line-neck'}), draw('text', {x: left + w - wide / 2, y: top - 2.5, class: 'zf-line-necktext'}, this.words.bottleneck));
        frame.classList.add('zf-line-necked');
      }
      svg.append(box);
      return {frame, strip, over, state, power, squares};
    }

    bufferBox(svg, one, [x, y, w, h]) {
      const box = draw('g', {'data-buffer': one.id}), tank = {x: x - 24, y: y - h / 2 + 14, width: 48, height: h - 30};
      const fill = draw('rect', {x: tank.x, width: tank.width, y: tank.y + tank.height, height: 0, class: 'zf-line-fill'});
      const level = draw('text', {x, y: y + h / 2 - 2, class: 'zf-line-level'}, '–');
      box.append(draw('title', {}, `${one.title} (${one.room})`), draw('text', {x, y: y - h / 2 + 8, class: 'zf-line-buffername'}, one.short), draw('rect', {...tank, rx: 3, class: 'zf-line-tank'}), fill, draw('rect', {...tank, rx: 3, class: 'zf-line-rim'}), level);
      svg.append(box);
      return {fill, level, tank};
    }

    bar() {
      const bar = make('div', {class: 'zf-line-bar zf-noprint', role: 'group', 'aria-label': this.words.controls});
      const back = make('button', {type: 'button', class: 'zf-line-button', 'aria-label': this.words.again, title: this.words.again}, '«');
      this.button = make('button', {type: 'button', class: 'zf-line-button', 'data-play': '1'});
      this.scrub = make('input', {type: 'range', min: 0, max: Math.round(this.data.span), step: 60, value: 0, 'aria-label': this.words.time, class: 'zf-line-scrub'});
      this.pace = make('input', {type: 'range', min: 0, max: SPEEDS.length - 1, step: 1, value: SPEEDS.indexOf(this.speed), 'aria-label': this.words.speed, class: 'zf-line-pace'});
      this.paceText = make('output', {class: 'zf-line-pacetext'});
      this.clock = make('output', {class: 'zf-line-clock'});
      back.addEventListener('click', () => this.seek(0));
      this.button.addEventListener('click', () => this.play(!this.playing));
      this.scrub.addEventListener('input', () => this.seek(Number(this.scrub.value)));
      this.pace.addEventListener('input', () => { this.speed = SPEEDS[Number(this.pace.value)]; this.paced(); });
      bar.append(back, this.button, this.clock, this.scrub, make('span', {class: 'zf-line-paces'}, make('span', {class: 'zf-line-title'}, this.words.speed), this.pace, this.paceText));
      this.paced(); this.labelled();
      return bar;
    }

    paced() {
      this.paceText.textContent = `${this.speed}×`;
      this.pace.setAttribute('aria-valuetext', `${this.speed}×`);
      this.root.style.setProperty('--zf-pace', `${Math.max(0.5, 2 - Math.log10(this.speed) / 2)}s`);
    }

    labelled() {
      this.button.textContent = this.playing ? '❚❚' : '▶\ufe0e';
      this.button.setAttribute('aria-label', this.playing ? this.words.pause : this.words.play);
      this.button.title = this.playing ? this.words.pause : this.words.play;
    }

    legend() {
      const box = make('div', {class: 'zf-line-legend', 'aria-hidden': 'true'});
      for (const one of this.data.states) box.append(make('span', {}, make('span', {class: 'zf-line-mark', style: `background:${one.colour}`}, one.mark), one.title));
      return box;
    }

    // ------------------------------------------------------------------ time
    seek(t) {
      this.t = Math.min(Math.max(t, 0), this.data.span);
      this.shown.text = null; this.lastText = 0; this.lastTable = 0;
      this.frame(performance.now());
    }

    play(on) {
      if (on && this.t >= this.data.span) this.t = 0;
      this.playing = on;
      if (this.button) this.labelled();
      this.root.classList.toggle('zf-line-playing', on || this.live);
      this.before = performance.now();
      if (on) requestAnimationFrame((now) => this.tick(now));
    }

    tick(now) {
      if (!this.playing || !this.root.isConnected) return;
      const passed = Math.min((now - this.before) / 1000, 0.25);
      if (!this.calm || now - this.before >= 1000) { // who wants little motion sees a new picture each second
        this.t += (this.calm ? (now - this.before) / 1000 : passed) * this.speed;
        this.before = now;
        if (this.t >= this.data.span) { this.t = this.data.span; this.play(false); }
        this.frame(now);
      }
      requestAnimationFrame((next) => this.tick(next));
    }

    frame(now) {
      const t = this.t;
      for (let s = 0; s < this.data.stations.length; s++) this.paint(s, this.machinesOf[s].map((k) => this.valueAt(k, t)));
      for (let b = 0; b < this.data.buffers.length; b++) this.level(b, this.valueAt(this.machines + b, t));
      this.pieces(t);
      if (now - this.lastText >= TEXT_MS) { this.lastText = now; this.told(t); }
      if (this.table && now - this.lastTable >= TABLE_MS) { this.lastTable = now; this.listed(); }
    }

    paint(s, states) { // a station by the state of most of its machines; work before anything else
      const own = states.length ? states : [this.data.unknown];
      const counts = new Map();
      own.forEach((state) => counts.set(state, (counts.get(state) ?? 0) + (state === this.data.working ? 1.5 : 1)));
      const state = [...counts].sort((a, b) => b[1] - a[1])[0][0], power = this.short?.[s] ?? '', key = own.join() + power;
      if (this.shown[s] === key) return;
      this.shown[s] = key; this.stationState[s] = state;
      const node = this.stationNodes[s], look = this.data.states[state];
      node.frame.style.stroke = look.colour;
      node.strip.style.fill = look.colour;
      node.over.setAttribute('fill', look.hatched ? `url(#zf-hatch-${this.root.id})` : 'none');
      const some = own.length > 1 ? ` ${own.filter((one) => one === state).length}/${own.length}` : '';
      node.state.textContent = `${look.mark} ${look.title}${some}`;
      node.power.textContent = power;
      node.squares.forEach((square, n) => { square.style.fill = this.data.states[own[Math.min(n, own.length - 1)]].colour; });
      if (!this.moving(s)) this.flow(s);
      this.scene?.station(s, look, `${look.mark} ${look.title}${some}`);
    }

    moving() { return this.passes.size > 0; }

    flow(s) { // where nobody counts pieces, what works is seen to flow
      const id = this.data.stations[s].id, on = this.stationState[s] === this.data.working;
      this.ways.forEach((way) => { if (way.source === id || way.target === id) way.path.classList.toggle('zf-line-flowing', on); });
    }

    level(b, held) {
      if (this.shown[`b${b}`] === held) return;
      this.shown[`b${b}`] = held; this.levels[b] = held;
      const {fill, level, tank} = this.bufferNodes[b], room = this.data.buffers[b].room;
      const part = held < 0 || held === null || !room ? 0 : Math.min(held / room, 1);
      fill.setAttribute('y', tank.y + tank.height * (1 - part));
      fill.setAttribute('height', tank.height * part);
      fill.classList.toggle('zf-line-full', part >= 1);
      level.textContent = held < 0 || held === null ? '–' : room ? `${held}/${room}` : `${held}`;
      this.scene?.buffer(b, part, held);
    }

    pieces(t) {
      if (!this.passes.size || this.calm) return;
      let used = 0;
      const shown = [];
      for (const way of this.ways) {
        const time = way.travel > 0 ? way.travel : Math.max(WAY_SHOWN_S * this.speed, LEAST_WAY_S);
        const from = way.put ? t - time : t, until = way.put ? t : t + time;
        const low = latest(way.passes, from), high = latest(way.passes, until);
        const stride = Math.ceil((high - low) / DOTS_A_WAY);
        for (let n = low + 1; n <= high; n++) {
          if (stride > 1 && n % stride) continue; // the same pieces from frame to frame
          const f = way.put ? (t - way.passes[n]) / time : 1 - (way.passes[n] - t) / time;
          const [x, y] = along(way.curve, f);
          shown.push(x, y);
          let dot = this.dots[used];
          if (!dot) { dot = draw('circle', {r: 4.5, class: 'zf-line-dot'}); this.dots.push(dot); this.dotBox.append(dot); }
          if (dot.hidden) { dot.style.display = ''; dot.hidden = false; }
          dot.setAttribute('cx', x.toFixed(1)); dot.setAttribute('cy', y.toFixed(1));
          used++;
        }
      }
      for (let n = used; n < this.dots.length; n++) if (!this.dots[n].hidden) { this.dots[n].style.display = 'none'; this.dots[n].hidden = true; }
      this.scene?.pieces(shown);
    }

    moment(t) { return new Date(Date.parse(`${this.data.begin}Z`) + t * 1000).toISOString().slice(5, 19).replace('T', ' '); }

    told(t) {
      const said = this.moment(t);
      if (this.clock) {
        this.clock.textContent = said;
        this.scrub.value = t;
        this.scrub.setAttribute('aria-valuetext', said);
      }
      this.data.figures.forEach((one, n) => {
        let value;
        if (one.id === 'output') value = latest(this.tracks[this.wayOut].at, t) + 1;
        else {
          const steps = one.values, at = Math.min(t / this.data.step, steps.length - 1), low = Math.floor(at), high = Math.min(low + 1, steps.length - 1);
          const from = Math.min(low, Math.max(steps.length - 2, 0)), to = Math.min(from + 1, steps.length - 1);
          value = one.rate ? (steps[to] - steps[from]) * 3600 / this.data.step : steps[low] + (steps[high] - steps[low]) * (at - low);
        }
        this.counterNodes[n].textContent = value.toLocaleString('en-US', {maximumFractionDigits: 0});
      });
      if (this.head) this.head.style.left = `${this.bandLeft + (t / this.data.span) * (this.canvas.clientWidth - this.bandLeft)}px`;
    }

    // ------------------------------------------------------------------ the same as a table
    tableBox() {
      this.table = make('tbody');
      const head = make('thead', {}, make('tr', {}, ...this.words.columns.map((word) => make('th', {scope: 'col'}, word))));
      const box = make('details', {class: 'zf-line-table'}, make('summary', {}, this.words.table), make('div', {tabindex: 0}, make('table', {}, head, this.table)));
      box.addEventListener('toggle', () => this.listed());
      this.tableDetails = box;
      return box;
    }

    listed() {
      if (!this.tableDetails.open) return;
      const row = (name, what, value) => make('tr', {}, make('th', {scope: 'row'}, name), make('td', {}, what), make('td', {}, value));
      const figures = this.data.figures.map((one, n) => row(one.title, this.words.figure, `${this.counterNodes[n].textContent} ${one.unit}`));
      const stations = this.data.stations.map((one, s) => row(one.title, this.words.station, `${this.data.states[this.stationState[s]]?.title ?? '–'}${this.more?.[s] ? ` · ${this.more[s]}` : ''}`));
      const buffers = this.data.buffers.map((one, b) => row(one.title, this.words.buffer, this.bufferNodes[b].level.textContent));
      this.table.replaceChildren(...figures, ...stations, ...buffers);
    }

    // ------------------------------------------------------------------ bands of states over the whole time
    bandsBox() {
      this.canvas = make('canvas', {role: 'img', 'aria-label': this.words.bands, class: 'zf-line-canvas'});
      this.head = make('div', {class: 'zf-line-head', 'aria-hidden': 'true'});
      const box = make('div', {class: 'zf-line-bands'}, this.canvas, this.head);
      this.canvas.addEventListener('click', (event) => this.seek((event.offsetX - this.bandLeft) / (this.canvas.clientWidth - this.bandLeft) * this.data.span));
      requestAnimationFrame(() => this.bands());
      return make('div', {class: 'zf-line-bandsbox'}, make('div', {class: 'zf-line-heading'}, this.words.bands), box);
    }

    bands() {
      if (!this.canvas?.isConnected) return;
      const rows = this.data.stations.length, high = 18, ratio = devicePixelRatio || 1, wide = this.canvas.parentElement.clientWidth;
      this.bandLeft = wide < NARROW_PX ? 84 : 150;
      this.canvas.style.height = `${rows * high + DESCENT + 4}px`;
      this.canvas.width = wide * ratio; this.canvas.height = (rows * high + DESCENT + 4) * ratio;
      const pen = this.canvas.getContext('2d'), ink = getComputedStyle(this.root).getPropertyValue('--zf-text') || '#333', line = getComputedStyle(this.root).getPropertyValue('--zf-grid') || '#ddd';
      pen.scale(ratio, ratio); pen.font = '12px sans-serif'; pen.textBaseline = 'middle';
      const x = (t) => this.bandLeft + (t / this.data.span) * (wide - this.bandLeft);
      const hours = this.data.span / 3600, every = hours <= 24 ? (wide < NARROW_PX ? 6 : 2) : 24;
      for (let hour = 0; hour <= hours; hour += every) {
        pen.fillStyle = line; pen.fillRect(x(hour * 3600), 0, 1, rows * high);
        pen.fillStyle = ink; pen.textAlign = hour >= hours ? 'right' : hour ? 'center' : 'left';
        pen.fillText(hours <= 24 ? `${hour}:00` : this.moment(hour * 3600).slice(0, 5), x(hour * 3600), rows * high + DESCENT / 2 + 2);
      }
      pen.textAlign = 'left';
      this.data.stations.forEach((one, s) => {
        pen.fillStyle = ink;
        let name = one.id === this.data.bottleneck ? `★ ${one.title}` : one.title;
        while (name.length > 2 && pen.measureText(name).width > this.bandLeft - 8) name = `${name.slice(0, -2)}…`;
        pen.fillText(name, 0, s * high + high / 2);
        const own = this.machinesOf[s], each = (high - 3) / own.length;
        own.forEach((k, n) => this.band(pen, this.tracks[k], s * high + 1 + n * each, each, x));
      });
      if (this.t !== undefined) this.told(this.t);
    }

    band(pen, one, top, high, x) {
      for (let i = -1; i < one.at.length; i++) {
        const state = i < 0 ? one.start : one.value[i], from = i < 0 ? 0 : one.at[i], until = i + 1 < one.at.length ? one.at[i + 1] : this.data.span;
        const look = this.data.states[state];
        if (!look || !look.band) continue;
        const [low, part] = look.band; // height and place tell states apart as well as colour does
        pen.fillStyle = look.colour;
        pen.fillRect(x(from), top + high * (1 - low - part), x(until) - x(from), Math.max(high * part, 0.8));
      }
    }

    resized() {
      if (this.wideBefore === this.root.clientWidth) return;
      this.wideBefore = this.root.clientWidth;
      this.planned(); this.bands(); this.shown = {}; this.frame(performance.now());
    }

    // ------------------------------------------------------------------ as it is now
    now(seen) {
      this.more = seen.more; this.short = seen.short;
      this.tracks.forEach((one, k) => { one.start = k < this.machines ? seen.states[this.data.stationOf[k]] : one.start; });
      seen.levels.forEach((held, b) => { this.tracks[this.machines + b].start = held === null ? -1 : held; });
      this.data.figures.forEach((one, n) => { one.values = [seen.figures[n] ?? 0]; });
      this.root.classList.add('zf-line-playing');
      this.seek(0);
      this.data.figures.forEach((one, n) => { if (seen.figures[n] === null) this.counterNodes[n].textContent = '–'; });
    }
  }

  // A scene of boxes that Python made; here they take the colour of their state, stacks their height, and pieces move.
  class Space {
    constructor(player, ids) { this.player = player; this.ids = ids; this.clones = []; }
    objects() { return getElement(this.ids.scene)?.objects; }
    mesh(id) { return this.objects()?.get(id)?.mesh; }
    ready() { return [...this.ids.stations, ...this.ids.labels, ...this.ids.buffers, this.ids.dot].every((id) => this.mesh(id)); }
    fit() { // a narrow screen looks from further away, and has no room for names
      const seen = getElement(this.ids.scene), box = seen.$el, aspect = box.clientWidth / Math.max(box.clientHeight, 1);
      this.isNarrow = box.clientWidth < NARROW_PX;
      if (aspect < SCENE_ASPECT) setTimeout(() => seen.camera.position.multiplyScalar(SCENE_ASPECT / aspect), 300);
    }
    station(s, look, words) {
      const mesh = this.mesh(this.ids.stations[s]), label = this.mesh(this.ids.labels[s]);
      mesh?.material?.color.set(look.colour);
      if (label?.element) label.element.textContent = this.isNarrow ? look.mark : `${this.player.data.stations[s].title} ${words}`;
    }
    buffer(b, part) {
      const mesh = this.mesh(this.ids.buffers[b]), high = this.ids.high * Math.max(part, 0.02);
      if (!mesh) return;
      mesh.scale.z = high; mesh.position.z = high / 2;
      mesh.material.color.set(part >= 1 ? '#c07d10' : '#3f86b8');
    }
    pieces(points) {
      const proto = this.mesh(this.ids.dot), scene = getElement(this.ids.scene)?.scene;
      if (!proto || !scene) return;
      const [left, top, scale] = this.ids.place;
      for (let n = 0; n < points.length / 2; n++) {
        let mesh = this.clones[n];
        if (!mesh) { mesh = proto.clone(); this.clones.push(mesh); scene.add(mesh); }
        mesh.visible = true;
        mesh.position.set((points[2 * n] - left) * scale, (top - points[2 * n + 1]) * scale, this.ids.lift);
      }
      for (let n = points.length / 2; n < this.clones.length; n++) this.clones[n].visible = false;
      proto.visible = false;
    }
  }

  window.zfLine = {
    async mount(id, data) {
      const root = document.getElementById(id);
      if (!root) return;
      players.get(id)?.play(false);
      const player = new Player(root, data);
      players.set(id, player);
      await player.open();
    },
    now(id, seen) { players.get(id)?.now(seen); },
    hasSpace() { try { return !!document.createElement('canvas').getContext('webgl2'); } catch { return false; } },
    space(id, ids) { // the plan gives way to the scene, or comes back
      const player = players.get(id);
      if (!player) return;
      player.plan.style.display = ids ? 'none' : '';
      if (!ids) {
        player.scene = null; player.planName = null; player.shown = {};
        player.planned(); player.frame(performance.now());
        delete player.root.dataset.space;
        return;
      }
      if (player.planName !== 'wide') { // the scene stands on the plan for a wide screen
        const narrow = player.data.plans.narrow;
        player.data.plans.narrow = null;
        player.planned();
        player.data.plans.narrow = narrow;
      }
      const space = new Space(player, ids);
      const wait = () => {
        if (!player.root.isConnected) return;
        if (!space.ready()) { setTimeout(wait, 100); return; }
        space.fit(); player.scene = space; player.shown = {}; player.frame(performance.now());
        player.root.dataset.space = '1';
      };
      wait();
    },
  };
})();
