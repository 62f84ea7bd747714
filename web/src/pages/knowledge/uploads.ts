/** Files on their way into a store: uploaded a few at a time, then handed to it. */
import { useState } from "react";

import { api, call } from "../../api/client";
import { messageOf } from "../../api/errors";
import { send } from "./send";
import { refreshStores } from "./stores";

export interface Upload {
  id: number;
  name: string;
  size: number;
  /** How much of it has been sent: 0 … 1. */
  share: number;
  /** What the server calls it, once it is there. */
  fileId?: string;
  /** Absent while it is under way. */
  error?: string;
}

const AT_A_TIME = 3;
let newest = 0;

export function useUploads(storeId: string) {
  const [uploads, setUploads] = useState<Upload[]>([]);

  function change(id: number, next: Partial<Upload>) {
    setUploads((all) => all.map((one) => (one.id === id ? { ...one, ...next } : one)));
  }

  function dismiss(id: number) {
    setUploads((all) => all.filter((one) => one.id !== id));
  }

  async function put(id: number, file: File) {
    try {
      const uploaded = await send(file, (share) => change(id, { share }));
      change(id, { fileId: uploaded.id });
      await call(
        api.POST("/v1/vector_stores/{store_id}/files", {
          params: { path: { store_id: storeId } },
          body: { file_id: uploaded.id },
        }),
      );
      await refreshStores();
      dismiss(id);
    } catch (error) {
      change(id, { error: messageOf(error) });
    }
  }

  async function add(files: File[]) {
    const queue = files.map((file) => ({ id: ++newest, file }));
    setUploads((all) => [
      ...all,
      ...queue.map(({ id, file }) => ({ id, name: file.name, size: file.size, share: 0 })),
    ]);
    const work = async () => {
      for (let next = queue.shift(); next; next = queue.shift()) await put(next.id, next.file);
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, work));
  }

  return { uploads, add, dismiss };
}
