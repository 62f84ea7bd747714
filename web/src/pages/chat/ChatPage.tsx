/** The conversation with a model or an app. */
import { Page } from "../../components/Page";

export default function ChatPage() {
  return <Page title="Chat">{null}</Page>;
}
