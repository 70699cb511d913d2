/** TCP finds out what a link carries in so many milliseconds; what it does until then is no figure. */
export const warmUpMs = 5000;
