import type { RulesNarrator, RulesStage } from "../rules-stage.ts";

/** Something a user would see happen. `play` resolves when it was seen to come true and throws when not. */
export type RulesStory = { title: string; play(stage: RulesStage, tell: RulesNarrator): Promise<void> };

const added: RulesStory = {
  title: "A webhook tells of a new torrent: a rule gives it its category and tag, and the page shows why",
  async play(stage, tell) {
    const id = await stage.add("Debian");
    const job = await stage.over(await stage.hook(`context=added&hash=${id}`));
    await stage.sorted(id);
    const { details } = (await stage.ask("GET", `/api/jobs/${job.job_id}`)) as {
      details: { entries: { rule: string; because: string[] }[] };
    };
    const [entry] = details.entries;
    if (entry?.rule !== "Distributions") throw new Error("the job does not say which rule it was");
    tell("rules-server", `because ${entry.because.join("; ")}: ${stage.url}/#/jobs/${job.job_id}`);
  },
};

const killed: RulesStory = {
  title: "rules-server is killed (kill -9) with a job in its queue: the next start does it",
  async play(stage, tell) {
    const id = await stage.add("Ubuntu");
    const job = await stage.hook(`context=added&hash=${id}&delay=2`);
    tell("you", "kill -9 rules-server");
    await stage.killServer();
    tell("you", "start it again");
    await stage.startServer();
    await stage.over(job);
    await stage.sorted(id);
  },
};

const broken: RulesStory = {
  title: "The rules file gets a mistake: it is told with its line, and the rules before it stay in force",
  async play(stage, tell) {
    tell("you", "write `info.nmae` into rules.yml");
    await stage.writeRules(stage.rules.replace("info.name", "info.nmae"));
    const { status, problems } = (await stage.ask("POST", "/api/rules/reload")) as {
      status: string;
      problems: { line: number; message: string }[];
    };
    if (status !== "stale") throw new Error(`the rules are ${status}, not stale`);
    tell("rules-server", `line ${problems[0]?.line}: ${problems[0]?.message}`);
    const id = await stage.add("Fedora");
    await stage.over(await stage.hook(`context=added&hash=${id}`));
    await stage.sorted(id);
    tell("you", "mend it");
    await stage.writeRules(stage.rules);
  },
};

/** rules-server's stories, in the order they are told. */
export const rulesServerStories: readonly RulesStory[] = [added, killed, broken];
