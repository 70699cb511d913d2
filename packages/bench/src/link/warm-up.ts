/**
 * TCP finds out what a link carries in so many milliseconds; what it does until then is no figure. With 550 ms, nine
 * round trips until it is at its speed, and three before that for connections that follow the first one.
 */
export const warmUpMs = 8000;
