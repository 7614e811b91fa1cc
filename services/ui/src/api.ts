/** The server's API as the page uses it. Everything is same-origin: the Ingress hands on /api. */

export type PostState = "pending" | "approved" | "refused" | "failed";

export interface Post {
  id: string;
  text: string;
  state: PostState;
  /** How sure the verdict is, in percent. */
  confidence: number | null;
  reason: string | null;
  has_picture: boolean;
  /** Only once the picture was approved. */
  picture_url: string | null;
  created_at: string;
  updated_at: string;
}

export interface Check {
  status: "up" | "down";
  latency_ms: number;
  error?: string;
}

export interface Health {
  /** Degraded: it answers, but something that it can do without for a while is down. */
  status: "up" | "degraded" | "down";
  version: string;
  environment: string;
  database: Check;
  redis: Check;
  queue: Check;
  services: Record<string, Check>;
}

/** What a person is told when an answer is no success. */
export class ApiError extends Error {}

const UNREACHABLE = "The server can't be reached. Try again in a moment.";

/** What an answer says, or what a person is told where there is none or it is no success. */
async function read<T>(answer: Response | null, accepted: (status: number) => boolean) {
  // A proxy's own error page, or the page itself where no Ingress hands on /api, is no JSON.
  const body: unknown = (await answer?.json().catch(() => null)) ?? null;
  if (answer && body !== null && accepted(answer.status)) return body as T;
  const error = (body as { error?: { message?: string } } | null)?.error;
  throw new ApiError(error?.message ?? UNREACHABLE);
}

/** The answer; null where the server can't be reached. */
const ask = (path: string, request?: RequestInit) => fetch(path, request).catch(() => null);

const ok = (status: number) => status >= 200 && status < 300;

export async function listPosts(): Promise<Post[]> {
  const body = await read<{ posts: Post[] }>(await ask("/api/posts"), ok);
  return body.posts;
}

/** Pauses before a post is sent again, in milliseconds: about as long as a failover takes. */
const PAUSES_MS = [500, 1000, 2000, 4000, 8000];

/** What passes by itself: no answer, a server's error, or the same post still under way. */
const passes = (status: number) => status >= 500 || status === 409;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** A name for one post: whoever sends the same again says so by it. */
export function newKey(): string {
  // Not crypto.randomUUID: browsers have it over TLS and on localhost only.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Send a post, again under the same key while it may pass by itself: an answer that got lost is
 * asked for again, and the post is stored once.
 */
export async function createPost(text: string, picture: File | null, key: string): Promise<Post> {
  const form = new FormData();
  form.set("text", text);
  if (picture) form.set("picture", picture);
  const request = { method: "POST", body: form, headers: { "Idempotency-Key": `"${key}"` } };
  let answer = await ask("/api/posts", request);
  for (const ms of PAUSES_MS) {
    if (answer && !passes(answer.status)) break;
    await pause(ms);
    answer = await ask("/api/posts", request);
  }
  return read<Post>(answer, ok);
}

/** The health report; the server sends it with status 503 too, when something is down. */
export async function readHealth(): Promise<Health> {
  return read<Health>(await ask("/api/health"), (status) => ok(status) || status === 503);
}
