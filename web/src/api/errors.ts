/** What went wrong with a call, in words that a person can act on. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string | null;

  constructor(message: string, status: number, code: string | null = null) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
  }
}

/** Reads OpenAI's error envelope; any other body gives a sentence about the status. */
export function errorOf(body: unknown, status: number): ApiError {
  if (typeof body === "object" && body !== null && "error" in body) {
    const { error } = body;
    if (typeof error === "object" && error !== null && "message" in error) {
      const code = "code" in error && typeof error.code === "string" ? error.code : null;
      return new ApiError(String(error.message), status, code);
    }
  }
  return new ApiError(`The server answered with status ${status} and no explanation.`, status);
}

export function messageOf(error: unknown): string {
  if (error instanceof ApiError) return error.message;
  if (error instanceof TypeError) {
    return "The server cannot be reached. Is headstart still running?";
  }
  return error instanceof Error ? error.message : String(error);
}
