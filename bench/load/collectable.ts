/** Loaded before a program in Node whose memory is weighed (`node --expose-gc --import`): SIGUSR2 collects garbage. */
process.on('SIGUSR2', () => {
  globalThis.gc?.();
  globalThis.gc?.();
});
