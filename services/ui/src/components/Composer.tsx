import { type DragEvent, type FormEvent, useEffect, useRef, useState } from "react";
import { ApiError, type Post, createPost, newKey } from "../api";

/** Limits of the server, checked before sending. */
const TEXT_MAX = 2000;
const PICTURE_MAX = 5 * 1024 * 1024;
const TYPES = ["image/png", "image/jpeg", "image/webp"];

/** Why the server would reject this picture, or null. */
export function validatePicture(picture: File): string | null {
  if (!TYPES.includes(picture.type)) return "The picture must be a PNG, JPEG or WebP file.";
  if (picture.size > PICTURE_MAX) return "The picture exceeds 5 MiB.";
  return null;
}

/** The form for a new post. */
export function Composer({ onPosted }: { onPosted: (post: Post) => void }) {
  const [text, setText] = useState("");
  const [picture, setPicture] = useState<File | null>(null);
  const [preview, setPreview] = useState<string | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [sending, setSending] = useState(false);
  const input = useRef<HTMLInputElement>(null);
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

  function choose(file: File | null) {
    const problem = file && validatePicture(file);
    setError(problem);
    setPicture(problem ? null : file);
    if (!file && input.current) input.current.value = "";
  }

  function drop(event: DragEvent) {
    event.preventDefault();
    choose(event.dataTransfer.files[0] ?? null);
  }

  async function send(event: FormEvent) {
    event.preventDefault();
    setSending(true);
    setError(null);
    try {
      onPosted(await createPost(text, picture, key.current));
      setText("");
      choose(null);
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
        rows={3}
        value={text}
        maxLength={TEXT_MAX}
        placeholder="A thought, with or without a picture"
        onChange={(event) => setText(event.target.value)}
      />
      {preview && (
        <figure className="preview">
          <img src={preview} alt="Selected picture" />
          <button type="button" className="quiet" onClick={() => choose(null)}>
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
        <label className="button quiet" htmlFor="picture">
          {picture ? "Change picture" : "Add a picture"}
        </label>
        <input
          id="picture"
          ref={input}
          className="visually-hidden"
          type="file"
          accept={TYPES.join(",")}
          onChange={(event) => choose(event.target.files?.[0] ?? null)}
        />
        <span className="hint">or drop it here</span>
        <button type="submit" disabled={sending || !text.trim()}>
          {sending ? "Posting…" : "Post"}
        </button>
      </div>
    </form>
  );
}
