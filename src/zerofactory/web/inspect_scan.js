// The phone page of inspection: a photograph, the code of the part, two large taps. Nothing is lost: what cannot be sent is kept in
// the browser (IndexedDB) under the name of who made it, and sent when the network is back. No library, nothing from elsewhere.
(() => {
  const T = window.zfScan, W = T.words, FIELDS = ['shop', 'station', 'product', 'model'];
  const RETRY_MS = 15000;
  let root, draft = {}, busy = false, memory = new Map(), shown = '';

  const el = (id) => root.querySelector('#zf-' + id);
  const say = (text, bad = false) => { const line = el('told'); line.textContent = text; line.classList.toggle('zf-bad', bad); };
  const address = (path) => `${path}${path.includes('?') ? '&' : '?'}site=${encodeURIComponent(T.site)}`;
  const problemText = (told) => (told.problems || []).map((p) => p.message[T.language]).join(' ') || told.detail || '';

  // kept in the browser ------------------------------------------------------------------------------------------------
  const opened = new Promise((resolve) => {
    try {
      const asked = indexedDB.open('zf-scan', 1);
      asked.onupgradeneeded = () => asked.result.createObjectStore('kept', { keyPath: 'id' });
      asked.onsuccess = () => resolve(asked.result);
      asked.onerror = () => resolve(null);
    } catch { resolve(null); }
  });
  const store = async (mode, use) => {
    const db = await opened;
    if (!db) return undefined;
    return new Promise((resolve, reject) => {
      const done = db.transaction('kept', mode), asked = use(done.objectStore('kept'));
      done.oncomplete = () => resolve(asked.result);
      done.onerror = done.onabort = () => reject(done.error);
    });
  };
  const keep = async (one) => {
    memory.set(one.id, one);
    try { await store('readwrite', (kept) => kept.put(one)); } catch { say(W.not_kept, true); }
  };
  const drop = async (id) => { memory.delete(id); await store('readwrite', (kept) => kept.delete(id)); };
  const mine = async () => {
    const found = (await store('readonly', (kept) => kept.getAll())) || [];
    const all = new Map([...memory, ...found.map((one) => [one.id, one])]);
    return [...all.values()].filter((one) => one.who === T.who).sort((a, b) => a.at.localeCompare(b.at));
  };
  const DRAFT = `draft ${T.who}`;
  const saveDraft = () => keep({ id: DRAFT, who: T.who, at: new Date().toISOString(), ...draft, words: words() });

  // sending ------------------------------------------------------------------------------------------------------------
  const form = (one) => {
    const made = new FormData();
    for (const [name, value] of Object.entries(one.words)) if (value) made.append(name, value);
    if (one.image) made.append('image', one.image, 'part.' + (one.image.type === 'image/png' ? 'png' : 'jpg'));
    if (one.code_image) made.append('code_image', one.code_image, 'code.jpg');
    return made;
  };
  const post = (path, body, signal) => fetch(address(path), { method: 'POST', headers: { 'X-CSRF-Token': T.csrf }, body, signal });
  const send = async (one) => {
    let answer;
    try { answer = await post('/v1/inspect/parts', form(one)); } catch { return { kept: W.offline }; }
    const told = await answer.json().catch(() => ({}));
    if (answer.ok) { await drop(one.id); return { told }; }
    if (answer.status === 401 || answer.status === 403) return { kept: W.log_in };
    if (answer.status >= 500 || answer.status === 429) return { kept: problemText(told) || W.offline };
    await keep({ ...one, problem: problemText(told) });
    return { refused: problemText(told) };
  };
  const sendAll = async () => {
    if (busy) return;
    busy = true;
    try {
      for (const one of await mine()) {
        if (one.id === DRAFT || one.problem) continue;
        const done = await send(one);
        if (done.kept) break;
        if (done.told && one.id === shown) result(done.told);
        else if (done.told) say(`${W.sent}: ${done.told.part_code}`);
      }
    } finally { busy = false; await list(); }
  };
  const list = async () => {
    const waiting = (await mine()).filter((one) => one.id !== DRAFT), place = el('waiting');
    el('waiting-box').hidden = !waiting.length;
    el('count').textContent = W.waiting.replace('%d', waiting.length);
    place.replaceChildren(...waiting.map((one) => {
      const row = document.createElement('li'), mend = document.createElement('button');
      row.textContent = `${one.words.part_code || W.code_in_photo} · ${W[one.words.disposition] || ''} ${one.problem || ''} `;
      mend.type = 'button'; mend.textContent = W.mend; mend.className = 'zf-chip';
      mend.onclick = async () => { await drop(one.id); await restore(one); await list(); };
      row.append(mend);
      return row;
    }));
  };

  // the form -----------------------------------------------------------------------------------------------------------
  const words = () => ({
    part_code: el('code').value.trim(), ...Object.fromEntries(FIELDS.map((name) => [name, el(name) ? el(name).value.trim() : ''])),
    defect: chosen('defect') === '+' ? el('other').value.trim() : chosen('defect'), cause: chosen('cause'), note: '',
  });
  const chosen = (name) => root.querySelector(`input[name=zf-${name}]:checked`)?.value ?? '';
  const show = (image) => {
    const place = el('preview');
    if (place.src) URL.revokeObjectURL(place.src);
    place.hidden = !image;
    if (image) place.src = URL.createObjectURL(image); else place.removeAttribute('src');
  };
  const take = async (image) => {
    if (image.size > T.most_bytes) { say(W.large, true); return; }
    const one = draft;
    draft.image = image;
    show(image);
    await saveDraft();
    if (one === draft) await read(image);
  };
  const read = async (image) => {
    const one = draft, over = () => one !== draft || ![draft.image, draft.code_image].includes(image);  // booked, or taken again
    say(W.reading);
    el('codes').replaceChildren();
    const asked = new FormData();
    asked.append('image', image, 'part.jpg');
    asked.append('model', words().model);
    let answer;
    try { answer = await post('/v1/inspect/codes', asked); } catch { if (!over()) say(W.offline_code); return; }
    const told = await answer.json().catch(() => ({}));
    if (over()) return;
    if (!answer.ok) { say(problemText(told), true); return; }
    const texts = [...new Set(told.codes.map((one) => one.text))];
    const held = el('code').value.trim();
    if (texts.length === 1 && (!held || held === filled)) el('code').value = filled = texts[0];  // the picture's own code, but none that was typed
    else if (texts.length > 1) el('codes').replaceChildren(...texts.map((text) => {
      const chip = document.createElement('button');
      chip.type = 'button'; chip.className = 'zf-chip'; chip.textContent = text;
      chip.onclick = () => { el('code').value = text; saveDraft(); };
      return chip;
    }));
    say(texts.length === 1 ? `${W.code}: ${texts[0]}` : texts.length ? W.choose_code : el('code').value ? '' : W.no_code);
    if (told.model) say(opinion(told.model));
    await saveDraft();
  };
  const restore = async (one) => {
    draft = { image: one.image, code_image: one.code_image };
    el('code').value = one.words.part_code || '';
    for (const name of FIELDS) if (el(name) && one.words[name]) el(name).value = one.words[name];
    show(one.image);
    say(one.problem || '', Boolean(one.problem));
    await saveDraft();
  };
  const clear = async () => {
    draft = {};
    el('code').value = ''; el('other').value = '';
    el('codes').replaceChildren();
    root.querySelectorAll('input[type=radio]').forEach((one) => { one.checked = false; });
    root.querySelectorAll('input[type=file]').forEach((one) => { one.value = ''; });
    el('bad').hidden = true;
    el('not-good').setAttribute('aria-expanded', 'false');
    show(null);
    await drop(DRAFT);
  };
  const book = async (disposition) => {
    const told = words();
    if (!told.part_code && !draft.image && !draft.code_image) { say(W.nothing, true); el('code').focus(); return; }
    if (disposition === 'accept') told.defect = told.cause = '';
    if (disposition !== 'accept' && !told.defect) { say(W.which_defect, true); return; }
    const at = new Date().toISOString();
    const one = { id: `${at} ${Math.random()}`, who: T.who, at, image: draft.image, code_image: draft.code_image, words: { ...told, disposition, inspected_at: at } };
    await keep(one);
    T.booked(told.part_code);
    await clear();
    el('result').hidden = true;
    say(W.sending);
    shown = one.id;
    busy = true;
    let done;
    try { done = await send(one); } finally { busy = false; }
    await list();
    if (done.told) result(done.told);
    else if (done.refused) { await drop(one.id); await restore({ ...one, problem: done.refused }); await list(); }
    else say(`${W.kept} ${done.kept}`, true);
  };
  const opinion = (model) => `${W.model} ${model.rejected ? W.rejects : W.passes} (${W.score} ${model.score.toFixed(3)}, ${W.threshold} ${model.threshold.toFixed(3)}${model.rejected && model.likeliest ? ', ' + model.likeliest : ''})`;
  const result = (told) => {
    el('result').hidden = false;
    el('said').textContent = `${told.part_code}: ${W[told.inspector.disposition]}${told.inspector.defect === 'ok' ? '' : ' · ' + told.inspector.defect}${told.repeated ? ' · ' + W.repeated : ''}`;
    const unjudged = told.unjudged.map((one) => one.message[T.language]).join(' ');
    el('opinion').textContent = told.model ? opinion(told.model) : unjudged ? `${W.unjudged} ${unjudged}` : '';
    el('agrees').textContent = told.agrees === false ? W.disagrees : told.agrees ? W.agrees : '';
    el('agrees').classList.toggle('zf-bad', told.agrees === false);
    const heat = el('heat');
    heat.hidden = !(told.model && told.kept);
    if (!heat.hidden) heat.src = address(`/v1/inspect/images/${told.image_sha256}/heat?model=${encodeURIComponent(told.model.name)}&version=${told.model.version}`);
    say(told.image_sha256 && !told.kept ? W.full : W.booked);
    el('result').scrollIntoView({ block: 'nearest' });
  };

  // what the camera's live picture needs of the form (inspect_camera.js)
  let filled = '';
  Object.assign(T, {
    post, take, problemText,
    fill: (text) => {                                          // a code that was typed stays, and that of the part whose picture is taken
      const field = el('code'), typed = field.value.trim();
      if (typed === text || (typed && (typed !== filled || draft.image))) return false;
      field.value = filled = text;
      saveDraft();
      return true;
    },
  });

  const start = async () => {
    for (const name of FIELDS) {
      const field = el(name), held = localStorage.getItem(`zf-scan ${T.site} ${name}`);
      if (!field) continue;
      if (held !== null && (field.tagName !== 'SELECT' || [...field.options].some((one) => one.value === held))) field.value = held;
      field.onchange = () => localStorage.setItem(`zf-scan ${T.site} ${name}`, field.value);
    }
    el('photo').onchange = (event) => { if (event.target.files[0]) take(event.target.files[0]); };
    el('code-photo').onchange = (event) => {
      const [image] = event.target.files;
      if (image) { draft.code_image = image; el('code').value = ''; read(image); }
    };
    el('code').onchange = saveDraft;
    el('good').onclick = () => book('accept');
    el('not-good').onclick = () => {
      el('bad').hidden = !el('bad').hidden;
      el('not-good').setAttribute('aria-expanded', String(!el('bad').hidden));
    };
    root.querySelectorAll('input[name=zf-defect]').forEach((one) => { one.onchange = () => { el('other').hidden = chosen('defect') !== '+'; }; });
    for (const name of ['rework', 'scrap', 'recheck']) el(name).onclick = () => book(name);
    el('retry').onclick = sendAll;
    addEventListener('online', sendAll);
    addEventListener('offline', () => say(W.offline, true));
    setInterval(sendAll, RETRY_MS);
    const before = (await mine()).find((one) => one.id === DRAFT);
    if (before) await restore(before);
    T.ready();                                                 // not after all that waits has been sent
    await list();
    await sendAll();
    root.dataset.ready = '1';
  };
  const look = setInterval(() => {
    root = document.querySelector('#zf-scan');
    if (root) { clearInterval(look); start(); }
  }, 50);
})();
