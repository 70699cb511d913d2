import { messageWithCauses } from "../describe-error.ts";
import { type DoctorCheck, type Finding, unknown } from "./check.ts";

/** A finding with the name of its check. */
export type Examined = Finding & { readonly name: string };

export type RunChecksOptions = {
  readonly signal: AbortSignal;
  /** How long one check may take. */
  readonly eachMs?: number;
};

/** Enough for a login and a few questions to a qBittorrent that is busy. */
const longestCheckMs = 20_000;

/**
 * Makes all checks at once, apart from those that come after others. Each is bounded, so that all of them are: by
 * `eachMs` times the longest chain.
 *
 * @returns what was found, in the order of the checks, as soon as it is known; never rejects but by the signal
 */
export async function* runChecks(
  checks: readonly DoctorCheck[],
  { signal, eachMs = longestCheckMs }: RunChecksOptions,
): AsyncGenerator<Examined> {
  const findings = new Map<string, Promise<Finding>>();
  for (const check of checks) {
    const before = (check.after ?? []).map((name) => {
      const finding = findings.get(name);
      if (finding === undefined) throw new Error(`the check ${check.name} comes before ${name}`);
      return { name, finding };
    });
    findings.set(check.name, examine(check, before, { signal, eachMs }));
  }
  for (const [name, finding] of findings) {
    yield { name, ...(await finding) };
    signal.throwIfAborted();
  }
}

type Before = readonly { name: string; finding: Promise<Finding> }[];

async function examine(
  check: DoctorCheck,
  before: Before,
  { signal, eachMs }: Required<RunChecksOptions>,
): Promise<Finding> {
  for (const { name, finding } of before) {
    if ((await finding).verdict !== "ok") return unknown(`it depends on "${name}"`, `see "${name}"`);
  }
  const late = AbortSignal.timeout(eachMs);
  const { promise: isOver, resolve } = Promise.withResolvers<Finding>();
  const giveUp = () =>
    resolve(unknown(`no answer within ${eachMs / 1000} s`, "try again; if it stays so, what is asked hangs"));
  late.addEventListener("abort", giveUp, { once: true });
  signal.addEventListener("abort", giveUp, { once: true });
  try {
    return await Promise.race([check.look(AbortSignal.any([signal, late])), isOver]);
  } catch (error) {
    if (late.aborted || signal.aborted) return await isOver;
    return unknown(messageWithCauses(error), "if that explains nothing, report it with this line");
  } finally {
    late.removeEventListener("abort", giveUp);
    signal.removeEventListener("abort", giveUp);
  }
}
