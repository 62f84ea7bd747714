/** Sends one file and says how far it is, which `fetch` cannot. */
import { signedOut } from "../../api/client";
import { ApiError, errorOf } from "../../api/errors";
import type { FileObject } from "../../api/types";

export function send(file: File, onProgress: (share: number) => void): Promise<FileObject> {
  const form = new FormData();
  form.append("purpose", "assistants");
  form.append("file", file, file.name);
  const request = new XMLHttpRequest();
  return new Promise((resolve, reject) => {
    request.upload.addEventListener("progress", ({ loaded, total, lengthComputable }) => {
      if (lengthComputable) onProgress(loaded / total);
    });
    request.addEventListener("load", () => {
      const body = parsed(request.responseText);
      if (request.status >= 200 && request.status < 300) return resolve(body as FileObject);
      if (request.status === 401) signedOut();
      return reject(errorOf(body, request.status));
    });
    request.addEventListener("error", () => reject(new ApiError("The upload was cut off.", 0)));
    request.open("POST", "/v1/files");
    request.send(form);
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
