/** Short names for what the API sends. The shapes are generated: see schema.d.ts. */
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Session = Schemas["Session"];
export type Model = Schemas["CallableModel"];
export type Endpoint = Schemas["EndpointStatus"];
export type App = Schemas["AppBody"];
export type ApiKey = Schemas["AdminApiKey"];
export type Conversation = Schemas["Conversation"];
export type Item = Schemas["Item"];
export type Annotation = Item["content"][number]["annotations"][number];
export type FileCitation = Schemas["FileCitation"];
export type Feedback = Schemas["Feedback"];
export type Metric = Feedback["metric"];
export type Passage = Schemas["PassageObject"];
export type CallRecord = Schemas["Record"];
export type VectorStore = Schemas["KnowledgeStore"];
export type VectorStoreFile = Schemas["StoreFile"];
export type StoreSync = Schemas["StoreSync"];
export type FileObject = Schemas["FileObject"];
export type SearchHit = Schemas["SearchHit"];
export type HubModel = Schemas["HubModel"];
export type HuggingFaceSource = Schemas["HuggingFaceSource"];
export type PackageSource = Schemas["PackageSource"];
export type Machine = Schemas["HubMachine"];
