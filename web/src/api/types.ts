/** Short names for what the API sends. The shapes are generated: see schema.d.ts. */
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Session = Schemas["Session"];
export type Model = Schemas["Model"];
export type Endpoint = Schemas["EndpointStatus"];
export type HubModel = Schemas["HubModel"];
export type Machine = Schemas["Machine"];
export type App = Schemas["AppShape"];
export type ApiKey = Schemas["AdminApiKey"];
export type Conversation = Schemas["Conversation"];
export type Item = Schemas["Item"];
export type Annotation = Schemas["Annotation"];
export type FileCitation = Schemas["FileCitation"];
export type Feedback = Schemas["Feedback"];
export type Metric = Schemas["NewFeedback"]["metric"];
export type Passage = Schemas["Passage"];
export type CallRecord = Schemas["Record"];
export type VectorStore = Schemas["VectorStore"];
export type VectorStoreFile = Schemas["VectorStoreFile"];
export type SearchHit = Schemas["Hit"];
