import { tagsOf, type Torrent } from "@qbit-sidecars/qbit-client";
import type { Action, Outcome, Param } from "./action.ts";

const tags: Param = {
  name: "tags",
  alias: "tag",
  kind: "texts",
  required: true,
  about: "a list, or texts separated by commas; `${info.…}` is put in",
};

/** Category and tags. */
export function labelActions(): Action[] {
  return [
    {
      name: "set_category",
      about: "puts it into a category",
      params: [
        {
          name: "category",
          kind: "template",
          about: 'the category; "" takes it out of its category',
          default: "",
        },
        { name: "create", kind: "flag", about: "creates a category that does not exist", default: true },
      ],
      example: { category: "Movies-HD" },
      plan: (params, subject, rule) => {
        const category = params.template("category").render(subject, { rule, asPath: true });
        if (subject.info.category === category)
          return { skip: `its category is ${JSON.stringify(category)}` };
        return {
          operation: { kind: "setCategory", category, create: params.flag("create") },
          before: subject.info.category,
          after: category,
          change: { category },
        };
      },
    },
    {
      name: "add_tag",
      aliases: ["add_tags"],
      about: "adds tags",
      params: [
        tags,
        {
          name: "mode",
          kind: { choice: ["add", "sync"] },
          about: "`sync`: also taken off torrents the rule does not match",
          default: "add",
        },
      ],
      example: { tags: ["hd"] },
      plan: (params, subject, rule) => addTags(params.tags(subject, rule), subject.info),
      planOther: (ofRule) =>
        ofRule.text("mode") === "sync"
          ? (params, subject, rule) => removeTags(params.tags(subject, rule), subject.info)
          : undefined,
    },
    {
      name: "remove_tag",
      aliases: ["remove_tags"],
      about: "takes tags off",
      params: [tags],
      example: { tags: ["new"] },
      plan: (params, subject, rule) => removeTags(params.tags(subject, rule), subject.info),
    },
    {
      name: "set_tags",
      about: "gives it exactly these tags",
      params: [{ ...tags, about: "as for add_tag; an empty list takes all off" }],
      example: { tags: ["movies", "hd"] },
      plan: (params, subject, rule) => setTags(params.tags(subject, rule), subject.info),
    },
  ];
}

function outcome(
  kind: "addTags" | "removeTags" | "setTags",
  info: Torrent,
  change: { tags: readonly string[]; after: readonly string[] },
): Outcome {
  return {
    operation: { kind, tags: change.tags },
    before: tagsOf(info),
    after: change.after,
    change: { tags: change.after.join(", ") },
  };
}

function addTags(wanted: readonly string[], info: Torrent): Outcome {
  const has = tagsOf(info);
  const missing = wanted.filter((tag) => !has.includes(tag));
  if (missing.length === 0) return { skip: `it has ${wanted.join(", ")}` };
  return outcome("addTags", info, { tags: missing, after: [...has, ...missing] });
}

function removeTags(unwanted: readonly string[], info: Torrent): Outcome {
  const has = tagsOf(info);
  const there = unwanted.filter((tag) => has.includes(tag));
  if (there.length === 0) return { skip: `it has none of ${unwanted.join(", ")}` };
  return outcome("removeTags", info, { tags: there, after: has.filter((tag) => !there.includes(tag)) });
}

function setTags(wanted: readonly string[], info: Torrent): Outcome {
  const has = tagsOf(info);
  const isSame = has.length === wanted.length && wanted.every((tag) => has.includes(tag));
  if (isSame) return { skip: "it has exactly these tags" };
  return outcome("setTags", info, { tags: wanted, after: wanted });
}
