/** The label of tokens that stand for a person's stay and not for a program, as a browser's cookie does: a new password ends them. */
export const stayLabel = 'browser';
