export { FakeNtfy, type FakeNtfyOptions, type NtfyCall, startFakeNtfy } from "./fake-ntfy.ts";
export { type NtfyMessage, readTopic } from "./messages.ts";
export { type Card, type PhoneScreen, showOnPhone } from "./phone.ts";
