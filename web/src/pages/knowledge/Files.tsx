/** The files of a store, those on their way into it, and the place to drop more. */
import {
  ActionIcon,
  Button,
  Progress,
  SegmentedControl,
  Skeleton,
  Stack,
  Text,
  Title,
  Tooltip,
} from "@mantine/core";
import { Dropzone } from "@mantine/dropzone";
import { IconFileText, IconFileUpload, IconTrash, IconX } from "@tabler/icons-react";
import { useInfiniteQuery, useMutation } from "@tanstack/react-query";
import { useState } from "react";

import { api, call } from "../../api/client";
import type { VectorStore, VectorStoreFile } from "../../api/types";
import { Confirm } from "../../components/Confirm";
import { ErrorState } from "../../components/ErrorState";
import { notifyError } from "../../components/notify";
import { Status } from "../../components/Status";
import { bytes, count } from "../../format";
import classes from "./Files.module.css";
import { filesQuery, fileStateOf, refreshStores } from "./stores";
import { useUploads, type Upload } from "./uploads";

interface FilesProps {
  store: VectorStore;
  editable: boolean;
}

export function Files({ store, editable }: FilesProps) {
  const { total, failed } = store.file_counts;
  const [wanted, want] = useState("all");
  const failedOnly = wanted === "failed" && failed > 0;
  const files = useInfiniteQuery(filesQuery(store.id, failedOnly ? "failed" : undefined));
  const { uploads, add, dismiss } = useUploads(store.id);
  const listed = new Set(files.data?.map(({ id }) => id));
  const coming = uploads.filter(({ fileId }) => fileId === undefined || !listed.has(fileId));
  const [leaving, setLeaving] = useState<VectorStoreFile | null>(null);

  return (
    <section aria-label="Files">
      <div className={classes.top}>
        <Title order={2}>Files</Title>
        {failed > 0 && (
          <SegmentedControl
            aria-label="Which files"
            size="xs"
            data={[
              { value: "all", label: `All ${count(total)}` },
              { value: "failed", label: `Failed ${count(failed)}` },
            ]}
            value={failedOnly ? "failed" : "all"}
            onChange={want}
          />
        )}
      </div>
      {editable && <Drop onDrop={(dropped) => void add(dropped)} />}
      {!editable && total === 0 && <Text c="dimmed">There are no files in this store yet.</Text>}

      {files.isPending && (
        <Stack gap="xs" mt="lg" aria-label="Loading the files">
          {[0, 1, 2].map((one) => (
            <Skeleton key={one} height={44} />
          ))}
        </Stack>
      )}
      {files.isError && <ErrorState error={files.error} retry={() => void files.refetch()} />}
      {(coming.length > 0 || (files.data?.length ?? 0) > 0) && (
        <ul className={classes.files} aria-label="Files of this store">
          {coming.map((upload) => (
            <UploadRow key={upload.id} upload={upload} onDismiss={() => dismiss(upload.id)} />
          ))}
          {files.data?.map((file) => (
            <FileRow
              key={file.id}
              file={file}
              onDelete={editable ? () => setLeaving(file) : undefined}
            />
          ))}
        </ul>
      )}
      {files.hasNextPage && (
        <Button
          variant="default"
          mt="md"
          loading={files.isFetchingNextPage}
          onClick={() => void files.fetchNextPage()}
        >
          Load more
        </Button>
      )}
      <DeleteFile file={leaving} onClose={() => setLeaving(null)} />
    </section>
  );
}

function Drop({ onDrop }: { onDrop: (files: File[]) => void }) {
  return (
    <Dropzone
      onDrop={onDrop}
      className={classes.drop}
      aria-label="Upload files"
      inputProps={{ "aria-label": "Files to upload" }}
    >
      <IconFileUpload size={26} stroke={1.4} aria-hidden className={classes.glyph} />
      <Text fw={550}>Drop files here, or click to choose</Text>
      <Text size="sm" c="dimmed">
        PDF, Word, slides, spreadsheets, web pages, Markdown and plain text
      </Text>
    </Dropzone>
  );
}

function UploadRow({ upload, onDismiss }: { upload: Upload; onDismiss: () => void }) {
  const { name, size, share, error } = upload;
  const percent = Math.floor(share * 100);
  return (
    <li className={classes.file}>
      <IconFileText size={18} stroke={1.5} aria-hidden className={classes.glyph} />
      <div className={classes.what}>
        <span className={classes.name}>{name}</span>
        {error === undefined ? (
          <Progress size={3} mt={5} value={percent} aria-label={`Progress of ${name}`} />
        ) : (
          <span className={classes.reason}>{error}</span>
        )}
      </div>
      <span className={classes.size}>{bytes(size)}</span>
      <span className={classes.state}>
        {error === undefined ? (
          <Status tone="busy" label={share < 1 ? `Uploading, ${percent} %` : "Handing over"} />
        ) : (
          <Status tone="bad" label="Not uploaded" />
        )}
      </span>
      {error === undefined ? (
        <span className={classes.blank} />
      ) : (
        <Tooltip label="Dismiss">
          <ActionIcon size="md" aria-label={`Dismiss ${name}`} onClick={onDismiss}>
            <IconX size={16} stroke={1.6} aria-hidden />
          </ActionIcon>
        </Tooltip>
      )}
    </li>
  );
}

interface FileRowProps {
  file: VectorStoreFile;
  /** Absent for those who may not. */
  onDelete?: () => void;
}

function FileRow({ file, onDelete }: FileRowProps) {
  const { filename, path, error, usage_bytes: size } = file;
  return (
    <li className={classes.file}>
      <IconFileText size={18} stroke={1.5} aria-hidden className={classes.glyph} />
      <div className={classes.what}>
        <span className={classes.name} title={path ?? undefined}>
          {filename}
        </span>
        {error && <span className={classes.reason}>{error.message}</span>}
      </div>
      <span className={classes.size}>{size > 0 && bytes(size)}</span>
      <span className={classes.state}>
        <Status {...fileStateOf(file)} />
      </span>
      {onDelete && (
        <Tooltip label="Delete">
          <ActionIcon size="md" aria-label={`Delete ${filename}`} onClick={onDelete}>
            <IconTrash size={16} stroke={1.6} aria-hidden />
          </ActionIcon>
        </Tooltip>
      )}
    </li>
  );
}

function DeleteFile({ file, onClose }: { file: VectorStoreFile | null; onClose: () => void }) {
  const remove = useMutation({
    mutationFn: ({ id, path, vector_store_id: store_id }: VectorStoreFile): Promise<unknown> =>
      path === null
        ? call(api.DELETE("/v1/files/{file_id}", { params: { path: { file_id: id } } }))
        : call(
            api.DELETE("/v1/vector_stores/{store_id}/files/{file_id}", {
              params: { path: { store_id, file_id: id } },
            }),
          ),
    onError: (error) => notifyError(error, "The file was not deleted"),
    onSettled: async () => {
      await refreshStores();
      onClose();
    },
  });
  return (
    <Confirm
      opened={file !== null}
      title={`Delete ${file?.filename ?? "the file"}?`}
      verb="Delete"
      pending={remove.isPending}
      onConfirm={() => file && remove.mutate(file)}
      onClose={onClose}
    >
      {file?.path
        ? "Its passages are removed from this store. The file itself stays in its folder, and the next sync reads it again."
        : "The file and its passages are removed from the server, also from other stores that have it."}
    </Confirm>
  );
}
