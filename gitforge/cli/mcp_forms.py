"""Our records in the forms of the protocol, with every hidden character spelled out."""

from __future__ import annotations

import mcp_types as types

from gitforge.serving.records import Content, Prompt, Rendered, Resource, ResourceTemplate, Tool, spelled_out


def prompt(one: Prompt) -> types.Prompt:
    """A goal in the list of prompts."""
    return types.Prompt(
        name=one.name,
        title=one.title,
        description=spelled_out(one.description),
        arguments=[
            types.PromptArgument(
                name=argument.name,
                title=spelled_out(argument.title),
                description=spelled_out(argument.description),
                required=False,
            )
            for argument in one.arguments
        ],
    )


def tool(one: Tool) -> types.Tool:
    """A tool in the list of tools."""
    return types.Tool(
        name=one.name,
        title=one.title,
        description=one.description,
        input_schema=one.input_schema,
        output_schema=one.output_schema,
        annotations=types.ToolAnnotations(
            read_only_hint=not one.is_writing,
            destructive_hint=False,
            idempotent_hint=True,
            open_world_hint=one.is_open,
        ),
    )


def rendered(one: Rendered) -> types.GetPromptResult:
    """A prompt; every text is the user's, because the protocol knows no system messages here."""
    return types.GetPromptResult(
        description=spelled_out(one.description),
        messages=[
            types.PromptMessage(role="user", content=types.TextContent(text=spelled_out(text)))
            for text in one.messages
        ],
    )


def resource(one: Resource) -> types.Resource:
    """A resource in the list of resources."""
    return types.Resource(
        uri=one.uri,
        name=spelled_out(one.name),
        description=spelled_out(one.description) or None,
        mime_type=one.mime_type,
        size=one.size,
    )


def template(one: ResourceTemplate) -> types.ResourceTemplate:
    """The form of many resources' names."""
    return types.ResourceTemplate(
        uri_template=one.uri_template, name=one.name, description=one.description, mime_type=one.mime_type
    )


def content(one: Content) -> types.TextResourceContents:
    """The text of a resource, and the facts about it as metadata."""
    about = {f"gitforge/{key}": value for key, value in spelled_out(one.about).items()}
    return types.TextResourceContents(
        uri=one.uri, mime_type=one.mime_type, text=spelled_out(one.text), _meta=about or None
    )
