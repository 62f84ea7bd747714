/** The stores of documents, and one store: both under the same entry of the navigation. */
import { useParams } from "react-router";

import { StorePage } from "./StorePage";
import { StoresPage } from "./StoresPage";

export default function KnowledgePage() {
  const { storeId } = useParams();
  return storeId === undefined ? <StoresPage /> : <StorePage key={storeId} storeId={storeId} />;
}
