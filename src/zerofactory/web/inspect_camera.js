// The camera's live picture on the phone page of inspection: codes are looked for while it runs, a button takes the picture for the
// verdict. Frames go to this server alone (or are read by the browser itself), nothing is kept, and the camera is let go when the page
// is left. No library, nothing from elsewhere.
(() => {
  const T = window.zfScan, W = T.words;
  const PAUSE_MS = 300;        // between two looks: a code held before the camera is seen within half a second, and a server of two cores bears ten phones
  const TROUBLE_MS = 3000;     // until the next look after a fault
  const PATIENCE_MS = 15000;   // for an answer: a network that swallows what is sent is no network
  const FRAME_SIDE = 1280;     // longest side of a frame that is looked at: a code of 30 mm is read at half a metre
  const LOOK_QUALITY = 0.8, TAKE_QUALITY = 0.95;
  const GONE_LOOKS = 3;        // looks without the code of the part just booked until it counts as taken away: one look may miss it
  const SYMBOLS = ['qr_code', 'data_matrix', 'code_128'];
  let stream = null, running = 0, detector = null, done = '', missed = 0, torch = false, trouble = false;

  const el = (id) => document.querySelector('#zf-' + id);
  const tell = (text, bad = false) => {
    const line = el('live-told');
    if (line.textContent !== text) line.textContent = text;    // written anew, a screen reader would say it three times a second
    line.classList.toggle('zf-bad', bad);
  };
  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

  // looking ------------------------------------------------------------------------------------------------------------
  const ready = async () => {
    if (!('BarcodeDetector' in window)) return null;
    try {
      const known = await BarcodeDetector.getSupportedFormats();
      return SYMBOLS.every((one) => known.includes(one)) ? new BarcodeDetector({ formats: SYMBOLS }) : null;
    } catch { return null; }
  };
  const frame = (side, quality) => {
    const video = el('video'), scale = Math.min(1, side / Math.max(video.videoWidth, video.videoHeight));
    const canvas = document.createElement('canvas');
    canvas.width = Math.round(video.videoWidth * scale);
    canvas.height = Math.round(video.videoHeight * scale);
    canvas.getContext('2d').drawImage(video, 0, 0, canvas.width, canvas.height);
    return new Promise((resolve) => canvas.toBlob(resolve, 'image/jpeg', quality));
  };
  const asked = async () => {                                  // the texts in the picture now, or what is wrong
    if (detector) {
      try { return { texts: (await detector.detect(el('video'))).map((one) => one.rawValue.trim()) }; } catch { detector = null; }
    }
    const form = new FormData();
    form.append('image', await frame(FRAME_SIDE, LOOK_QUALITY), 'frame.jpg');
    form.append('codes_only', 'true');
    let answer;
    try { answer = await T.post('/v1/inspect/codes', form, AbortSignal.timeout?.(PATIENCE_MS)); } catch { return { fault: W.offline }; }
    if (answer.status === 401 || answer.status === 403) return { fault: W.log_in, over: true };
    if (!answer.ok) return { fault: T.problemText(await answer.json().catch(() => ({}))) || W.offline };
    return { texts: (await answer.json()).codes.map((one) => one.text) };
  };
  const look = async (turn) => {
    while (turn === running) {
      if (el('video').readyState < 2) { await pause(PAUSE_MS); continue; }
      const found = await asked().catch(() => ({ fault: W.offline }));  // an answer that broke off
      if (turn !== running) return;
      if (found.fault) {
        tell(found.fault, trouble = true);
        if (found.over) { stop(); tell(found.fault, true); return; }
        await pause(TROUBLE_MS);
        continue;
      }
      seen([...new Set(found.texts)].filter((text) => text && text.length <= 100 && !/\p{C}/u.test(text)));
      await pause(PAUSE_MS);
    }
  };
  const seen = (texts) => {
    el('live').dataset.looks = Number(el('live').dataset.looks || 0) + 1;
    el('view').classList.toggle('zf-found', texts.length > 0);
    missed = texts.includes(done) ? 0 : missed + 1;
    if (missed >= GONE_LOOKS) done = '';                       // the part that was booked has left the picture
    const fresh = texts.filter((text) => text !== done);
    if (fresh.length === 1 && T.fill(fresh[0])) {
      navigator.vibrate?.(80);
      tell(`${W.code}: ${fresh[0]}`);
      trouble = false;
      return;
    }
    if (fresh.length > 1) tell(W.several, trouble = true);
    else if (trouble) { trouble = false; tell(W.looking); }    // it is over
  };

  // the camera ---------------------------------------------------------------------------------------------------------
  const refused = (fault) => ({
    NotAllowedError: W.denied, SecurityError: W.denied, NotFoundError: W.no_camera, OverconstrainedError: W.no_camera, NotReadableError: W.camera_busy,
  }[fault.name] || `${W.camera_fault} ${fault.message || fault.name}`);
  const start = async () => {
    const turn = ++running;
    el('live-start').disabled = true;
    tell(W.asking);
    try {
      const got = await navigator.mediaDevices.getUserMedia({ audio: false, video: { facingMode: { ideal: 'environment' }, width: { ideal: 1920 }, height: { ideal: 1080 } } });
      if (turn !== running) { got.getTracks().forEach((one) => one.stop()); return; }
      stream = got;
    } catch (fault) { tell(refused(fault), true); el('live-start').disabled = false; return; }
    const [track] = stream.getVideoTracks(), video = el('video');
    track.onended = () => { stop(); tell(W.camera_ended, true); };
    video.srcObject = stream;
    el('live-box').hidden = false;
    el('live-start').hidden = true;
    el('torch').hidden = !track.getCapabilities?.().torch;
    try { await video.play(); } catch { /* a picture that was taken away again */ }
    if (turn !== running) return;
    detector = await ready();
    tell(W.looking);
    el('live').dataset.state = 'on';
    el('shot').focus();
    look(turn);
  };
  const stop = () => {
    running += 1;
    const had = stream;
    had?.getTracks().forEach((one) => { one.onended = null; one.stop(); });
    stream = null;
    torch = trouble = false;
    const focused = el('live-box').contains(document.activeElement);
    el('video').srcObject = null;
    el('live-box').hidden = true;
    el('live-start').hidden = false;
    el('live-start').disabled = false;
    el('torch').setAttribute('aria-pressed', 'false');
    el('live').dataset.state = 'off';
    if (focused) el('live-start').focus();
    tell(had ? W.camera_off : '');
  };
  const shoot = async () => {
    if (!stream || el('video').readyState < 2) return;
    const image = await frame(Infinity, TAKE_QUALITY);
    el('view').classList.add('zf-taken');
    setTimeout(() => el('view').classList.remove('zf-taken'), 200);
    tell(W.taken);
    await T.take(image);
  };
  const light = async () => {
    torch = !torch;
    try { await stream.getVideoTracks()[0].applyConstraints({ advanced: [{ torch }] }); } catch { torch = !torch; tell(W.no_torch, true); }
    el('torch').setAttribute('aria-pressed', String(torch));
  };

  T.ready = () => {
    if (!window.isSecureContext || !navigator.mediaDevices?.getUserMedia) {
      el('live-start').hidden = true;
      tell(window.isSecureContext ? W.no_live : W.insecure);
    } else {
      el('live-start').onclick = start;
      el('live-stop').onclick = stop;
      el('shot').onclick = shoot;
      el('torch').onclick = light;
      addEventListener('pagehide', stop);
      document.addEventListener('visibilitychange', () => { if (document.hidden && el('live-start').disabled) stop(); });  // on, or being asked for
    }
    el('live').hidden = false;
  };
  T.booked = (code) => { done = code; missed = 0; };
})();
