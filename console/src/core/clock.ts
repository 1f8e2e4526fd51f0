/** Time and chance as arguments, so that tests decide both. */
export interface Clock {
  now(): number;
  after(ms: number, work: () => void): () => void;
  random(): number;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, work) {
    const timer = setTimeout(work, ms);
    return () => clearTimeout(timer);
  },
  random: () => Math.random(),
};
