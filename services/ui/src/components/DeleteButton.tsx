import { useState } from "react";
import { ApiError, deletePost } from "../api";

interface Props {
  id: string;
  /** The key by which the post was created. */
  sentWith: string;
  onDeleted: (id: string) => void;
}

/** Deletes a post of this browser after a question; its picture is deleted with it. */
export function DeleteButton({ id, sentWith, onDeleted }: Props) {
  const [asking, setAsking] = useState(false);
  const [deleting, setDeleting] = useState(false);
  const [error, setError] = useState<string | null>(null);

  async function remove() {
    setDeleting(true);
    setError(null);
    try {
      await deletePost(id, sentWith);
      onDeleted(id);
    } catch (problem) {
      setError(problem instanceof ApiError ? problem.message : "The post could not be deleted.");
      setDeleting(false);
    }
  }

  if (!asking) {
    return (
      <div className="own">
        <button type="button" className="quiet small" onClick={() => setAsking(true)}>
          Delete
        </button>
      </div>
    );
  }
  return (
    <div className="own" role="group" aria-label="Delete this post?">
      <span>Delete this post for everyone?</span>
      {/* The focus was on the button that is gone; Enter keeps the post. */}
      <button type="button" className="quiet small" autoFocus onClick={() => setAsking(false)}>
        Keep
      </button>
      <button
        type="button"
        className="danger small"
        disabled={deleting}
        onClick={() => void remove()}
      >
        {deleting ? "Deleting…" : "Delete post"}
      </button>
      {error && (
        <p className="error" role="alert">
          {error}
        </p>
      )}
    </div>
  );
}
