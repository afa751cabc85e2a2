/** Draft marks of a recording, read once its exact samples are here. */

import { ApiError, get } from "/shared/api.js";
import { useEffect, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { bestLayer } from "/desk/say.js";

/** @typedef {import("/desk/types.js").DeskRecording} DeskRecording */

/**
 * @param {{id: string}} one the case
 * @param {DeskRecording} recording
 * @returns {any} EcgMarks or SoundMarks; null until there, and where they cannot be had: marks are never needed to read
 */
export function useMarks(one, recording) {
  const [marks, setMarks] = useState(/** @type {any} */ (null));
  const ready = bestLayer(recording) === "lossless";
  useEffect(() => {
    if (!ready) return undefined;
    let wanted = true;
    get(`/api/cases/${one.id}/recordings/${recording.id}/marks`).then(
      (found) => wanted && setMarks(found),
      (error) => {
        if (!(error instanceof ApiError)) throw error;
      },
    );
    return () => {
      wanted = false;
    };
  }, [one.id, recording.id, ready]);
  return marks;
}
