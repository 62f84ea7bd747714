/** The record of every call, and one record: both under the same entry of the navigation. */
import { useParams } from "react-router";

import { RecordList } from "./RecordList";
import { RecordPage } from "./RecordPage";

export default function RecordsPage() {
  const { recordId } = useParams();
  return recordId === undefined ? <RecordList /> : <RecordPage key={recordId} recordId={recordId} />;
}
