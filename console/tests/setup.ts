/** What Node has and a page too, but not the context that every file of tests has for itself. */
import { BroadcastChannel } from "node:worker_threads";

globalThis.BroadcastChannel ??= BroadcastChannel as unknown as typeof globalThis.BroadcastChannel;
