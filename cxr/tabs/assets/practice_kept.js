/* What a visitor answered in Practice, kept in this browser: window.cxrPractice, for every tab.
   docs/practice.md says what is kept and what other scripts may call. */
(() => {
  const KEY = "cxr-practice", VERSION = 1, CHANGED = "cxr-practice";
  const empty = () => ({ version: VERSION, courses: {}, records: [], flags: [], judged: [] });
  let kept = stored();

  function stored() {
    try {
      const found = JSON.parse(localStorage.getItem(KEY));
      if (found?.profile?.version === VERSION && Array.isArray(found.profile.records)) return found;
    } catch { /* damaged, or a private window: begin anew */ }
    return { profile: empty() };
  }

  /* Whether this browser keeps it; else it lasts until the page is left. */
  function write(value) {
    kept = value;
    let done = true;
    try { localStorage.setItem(KEY, JSON.stringify(kept)); } catch { done = false; }
    dispatchEvent(new Event(CHANGED));
    return done;
  }

  /* Ids of the studies whose last answer missed a finding, the latest first. */
  function misses(records = kept.profile.records) {
    const last = new Map();
    for (const { study, missed } of records) {
      last.delete(study);
      last.set(study, missed?.length > 0);
    }
    return [...last].filter(([, missed]) => missed).map(([study]) => study).reverse();
  }

  window.cxrPractice = { CHANGED, empty, read: () => kept, write, misses };
  addEventListener("storage", (event) => {
    if (event.key !== KEY && event.key !== null) return;
    kept = stored();
    dispatchEvent(new Event(CHANGED));
  });
})();
