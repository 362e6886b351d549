"""An entrypoint and a task: local variables, and nothing else."""

from langchain_core.messages import HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.func import entrypoint, task

llm = ChatOpenAI(model="gpt-4o-mini")
PROMPT = SystemMessage("[reply] Answer the user.")


@task
def ask(texts: list[str]) -> str:
    return llm.invoke([PROMPT, *(HumanMessage(text) for text in texts)]).content


@entrypoint()
def app(request: dict) -> dict:
    messages = [*request["messages"], ask(request["messages"]).result()]
    return {
        "user_id": request["user_id"],
        "messages": messages,
        "count": len(messages),
    }


def handle(user_id: str, texts: list[str]) -> dict:
    return app.invoke({"user_id": user_id, "messages": texts})
