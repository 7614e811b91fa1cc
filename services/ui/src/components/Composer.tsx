import {
  type DragEvent,
  type FormEvent,
  type KeyboardEvent,
  useEffect,
  useRef,
  useState,
} from "react";
import { ApiError, type Post, createPost, newKey } from "../api";
import { TYPES, UNREADABLE, validatePicture } from "../pictures";
import { remember } from "../sent";

/** The server's limit, in characters. */
export const TEXT_MAX = 2000;
/** The length from which the limit is shown. */
const TEXT_NEAR = 0.8 * TEXT_MAX;

/** The length as the server counts it: in characters, not in UTF-16 units. */
const lengthOf = (text: string) => [...text].length;

/** What is left of the limit, or null while it is far away. */
function limitOf(length: number): string | null {
  if (length > TEXT_MAX) return `${length - TEXT_MAX} characters over the limit of ${TEXT_MAX}`;
  return length >= TEXT_NEAR ? `${TEXT_MAX - length} characters left` : null;
}

/** The form for a new post. */
export function Composer({ onPosted }: { onPosted: (post: Post) => void }) {
  const [text, setText] = useState("");
  const [picture, setPicture] = useState<File | null>(null);
  const [preview, setPreview] = useState<string | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [sending, setSending] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const area = useRef<HTMLTextAreaElement>(null);
  // One key per text and picture, reused after an error: the post may have been stored.
  const key = useRef("");
  useEffect(() => {
    key.current = newKey();
  }, [text, picture]);

  useEffect(() => {
    if (!picture) return setPreview(null);
    const url = URL.createObjectURL(picture);
    setPreview(url);
    return () => URL.revokeObjectURL(url);
  }, [picture]);

  const limit = limitOf(lengthOf(text));
  const isOver = lengthOf(text) > TEXT_MAX;
  const missing = !text.trim() ? "Write a text to post." : isOver ? "Shorten the text to post." : null;

  async function choose(file: File | null) {
    const problem = file && (await validatePicture(file));
    setError(problem);
    setPicture(problem ? null : file);
    // The same file can be chosen again.
    if ((problem || !file) && input.current) input.current.value = "";
  }

  function refuse() {
    void choose(null).then(() => setError(UNREADABLE));
  }

  function drop(event: DragEvent) {
    event.preventDefault();
    void choose(event.dataTransfer.files[0] ?? null);
  }

  function press(event: KeyboardEvent) {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    void send();
  }

  async function send(event?: FormEvent) {
    event?.preventDefault();
    if (sending || missing) return;
    setSending(true);
    setError(null);
    try {
      const post = await createPost(text, picture, key.current);
      remember(post.id, key.current);
      onPosted(post);
      setText("");
      await choose(null);
      area.current?.focus();
    } catch (problem) {
      setError(problem instanceof ApiError ? problem.message : "The post could not be sent.");
    } finally {
      setSending(false);
    }
  }

  return (
    <form
      className="card composer"
      onSubmit={(event) => void send(event)}
      onDragOver={(event) => event.preventDefault()}
      onDrop={drop}
    >
      <label htmlFor="text">What would you like to share?</label>
      <textarea
        id="text"
        ref={area}
        rows={3}
        value={text}
        aria-invalid={isOver}
        aria-describedby={limit ? "limit" : undefined}
        placeholder="A thought, with or without a picture"
        onChange={(event) => setText(event.target.value)}
        onKeyDown={press}
      />
      {limit && (
        <p id="limit" className={isOver ? "error" : "hint"} role="status">
          {limit}
        </p>
      )}
      {preview && (
        <figure className="preview">
          <img src={preview} alt="Selected picture" onError={refuse} />
          <button type="button" className="quiet" onClick={() => void choose(null)}>
            Remove picture
          </button>
        </figure>
      )}
      {error && (
        <p className="error" role="alert">
          {error}
        </p>
      )}
      <div className="actions">
        <input
          id="picture"
          ref={input}
          className="visually-hidden"
          type="file"
          accept={TYPES.join(",")}
          onChange={(event) => void choose(event.target.files?.[0] ?? null)}
        />
        <label className="button quiet" htmlFor="picture">
          {picture ? "Change picture" : "Add a picture"}
        </label>
        <span className="hint pointer-only">or drop it here</span>
        <span id="missing" className={`hint missing ${missing ? "" : "pointer-only"}`}>
          {sending ? "" : (missing ?? "Ctrl+Enter posts.")}
        </span>
        <button type="submit" aria-describedby="missing" disabled={sending || missing !== null}>
          {sending ? "Posting…" : "Post"}
        </button>
      </div>
    </form>
  );
}
