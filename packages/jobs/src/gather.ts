import { quietTurn } from "@qbit-sidecars/service";

type Waiting<Q, A> = {
  readonly asked: Q;
  readonly resolve: (answer: A) => void;
  readonly reject: (error: unknown) => void;
};

/** Nobody waits longer for those who come after, however many they are. */
const mostMs = 40;

/**
 * Makes one call of many: what is asked until the event loop is quiet is answered together. A commit to disk costs the
 * same for one job and for a hundred; and while it lasts nobody else is heard.
 *
 * @param answerAll answers in the order of the questions; when it rejects, all are rejected with that
 */
export function gather<Q, A>(
  answerAll: (asked: readonly Q[]) => readonly A[] | Promise<readonly A[]>,
): (asked: Q) => Promise<A> {
  let waiting: Waiting<Q, A>[] = [];
  const flush = async () => {
    const now = waiting;
    waiting = [];
    try {
      const answers = await answerAll(now.map(({ asked }) => asked));
      for (const [at, { resolve, reject }] of now.entries()) {
        const answer = answers[at];
        if (answer === undefined) reject(new Error("a question was left without an answer"));
        else resolve(answer);
      }
    } catch (error) {
      for (const { reject } of now) reject(error);
    }
  };
  return (asked) =>
    new Promise((resolve, reject) => {
      waiting.push({ asked, resolve, reject });
      if (waiting.length === 1) void quietTurn(mostMs).then(flush);
    });
}
