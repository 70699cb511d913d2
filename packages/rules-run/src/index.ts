export { engineSettings, redisNeedsUrl } from "./settings.ts";
