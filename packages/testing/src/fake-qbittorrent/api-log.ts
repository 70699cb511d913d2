import { type Answer, json } from "./answers.ts";
import { integer, toggle } from "./params.ts";
import type { Call, Routes } from "./route.ts";

export const logRoutes: Routes = {
  "log/main": { run: mainLog },
  "log/peers": { run: () => json([]) },
};

const types = { normal: 1, info: 2, warning: 4, critical: 8 };

function mainLog({ state, params }: Call): Answer {
  const after = integer(params["last_known_id"]) ?? -1;
  const wanted = Object.entries(types).flatMap(([name, type]) =>
    toggle(params[name]) === false ? [] : type,
  );
  return json(
    state.log.filter(({ id, type }) => id > after && wanted.includes(type)).map((line) => ({ ...line })),
  );
}
