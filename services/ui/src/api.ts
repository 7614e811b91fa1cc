/** Client of the server's API. All requests are same-origin: the Ingress routes /api. */

export type PostState = "pending" | "approved" | "refused" | "failed";

export interface Post {
  id: string;
  text: string;
  state: PostState;
  /** Confidence of the verdict, in percent. */
  confidence: number | null;
  reason: string | null;
  has_picture: boolean;
  /** Set if the picture is approved. */
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
  /** Degraded: the server is ready, but an optional dependency is down. */
  status: "up" | "degraded" | "down";
  version: string;
  environment: string;
  database: Check;
  redis: Check;
  queue: Check;
  services: Record<string, Check>;
}

/** A failed request, with a message for the user. */
export class ApiError extends Error {}

const UNREACHABLE = "The server is unreachable. Try again in a moment.";

/** The body of a response; throws an ApiError if there is none or its status is not accepted. */
async function read<T>(response: Response | null, accepted: (status: number) => boolean) {
  // An error page of a proxy, or the page itself if nothing routes /api, is not JSON.
  const body: unknown = (await response?.json().catch(() => null)) ?? null;
  if (response && body !== null && accepted(response.status)) return body as T;
  const error = (body as { error?: { message?: string } } | null)?.error;
  throw new ApiError(error?.message ?? UNREACHABLE);
}

/** The response, or null if the server is unreachable. */
const send = (path: string, request?: RequestInit) => fetch(path, request).catch(() => null);

const ok = (status: number) => status >= 200 && status < 300;

/** The number of posts that a list has at most. */
export const LIST_MAX = 50;

export async function listPosts(): Promise<Post[]> {
  const body = await read<{ posts: Post[] }>(await send(`/api/posts?limit=${LIST_MAX}`), ok);
  return body.posts;
}

/** Delays between retries of a post, in milliseconds; in total about as long as a failover. */
const RETRY_DELAYS_MS = [500, 1000, 2000, 4000, 8000];

/** Whether an error is transient: a server error but full storage, or the same post in progress. */
const isTransient = (status: number) => (status >= 500 && status !== 507) || status === 409;

const delay = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** A new idempotency key. */
export function newKey(): string {
  // Not crypto.randomUUID: it is available with TLS or on localhost only.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The response to a request that can be repeated, after retries of transient errors. */
async function sendPatiently(path: string, key: string, request: RequestInit) {
  const keyed = { ...request, headers: { "Idempotency-Key": `"${key}"` } };
  let response = await send(path, keyed);
  for (const ms of RETRY_DELAYS_MS) {
    if (response && !isTransient(response.status)) break;
    await delay(ms);
    response = await send(path, keyed);
  }
  return response;
}

/**
 * Create a post. Transient errors are retried with the same key, so that the post is stored once even
 * if a response is lost.
 */
export async function createPost(text: string, picture: File | null, key: string): Promise<Post> {
  const form = new FormData();
  form.set("text", text);
  if (picture) form.set("picture", picture);
  return read<Post>(await sendPatiently("/api/posts", key, { method: "POST", body: form }), ok);
}

/** Delete a post, with the key by which it was created. It may have been deleted before. */
export async function deletePost(id: string, key: string): Promise<void> {
  const response = await sendPatiently(`/api/posts/${id}`, key, { method: "DELETE" });
  if (!response || !ok(response.status)) await read(response, () => false);
}

/** The health report; the server also sends it with status 503. */
export async function readHealth(): Promise<Health> {
  return read<Health>(await send("/api/health"), (status) => ok(status) || status === 503);
}
