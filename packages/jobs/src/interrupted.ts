/** After so many runs that were lost with it, a job is taken to be the reason. */
export const mostInterruptions = 10;

export const lostTooOften = `given up: ${mostInterruptions} runs of this job were lost before they ended (the worker was killed, ran out of memory or froze)`;
