/** A first call of the API, as Markdown. */
const QUESTION = "What can you help me with?";

export function python(url: string, model: string): string {
  return `\`\`\`python
from openai import OpenAI

client = OpenAI(base_url=${JSON.stringify(url)}, api_key="hs-…")
answer = client.chat.completions.create(
    model=${JSON.stringify(model)},
    messages=[{"role": "user", "content": "${QUESTION}"}],
)
print(answer.choices[0].message.content)
\`\`\``;
}

export function curl(url: string, model: string): string {
  return `\`\`\`bash
curl ${url}/chat/completions \\
  -H "Authorization: Bearer hs-…" \\
  -H "Content-Type: application/json" \\
  -d '{"model": ${JSON.stringify(model)},
       "messages": [{"role": "user", "content": "${QUESTION}"}]}'
\`\`\``;
}
