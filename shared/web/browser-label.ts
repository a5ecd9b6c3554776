/** The label of tokens that stand behind a browser's cookie: they are sessions, so a new password ends them. */
export const browserLabel = 'browser';
