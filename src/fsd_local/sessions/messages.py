"""The messages of a data channel, as bytes and as values. Pure.

A message has a header of 116 bytes, the length of its payload, and the payload. What the agent
sends and what the client sends are two streams, each numbered from 0, and each message of a stream
is acknowledged. The format is that of aws/session-manager-plugin, `src/message/clientmessage.go`.
"""

from __future__ import annotations

import hashlib
import json
import struct
import uuid
from dataclasses import dataclass
from enum import IntEnum, StrEnum

_HEADER = struct.Struct(">I32sIQqQ16s32sI")
_LENGTH = struct.Struct(">I")
_SCHEMA_VERSION = 1
_SYN_AND_FIN = 3  # of an acknowledgement: it is all of its stream
MOST_OUTPUT = 1024  # bytes of payload, as the agent sends them


class MessageType(StrEnum):
    INPUT = "input_stream_data"  # of the client
    OUTPUT = "output_stream_data"  # of the agent
    ACKNOWLEDGE = "acknowledge"
    CLOSED = "channel_closed"


class PayloadType(IntEnum):
    NONE = 0
    OUTPUT = 1  # bytes of the terminal, in both directions
    SIZE = 3
    HANDSHAKE_REQUEST = 5
    HANDSHAKE_RESPONSE = 6
    HANDSHAKE_COMPLETE = 7
    FLAG = 10


TERMINATE_SESSION = (2).to_bytes(4, "big")  # of PayloadType.FLAG


class MalformedMessageError(ValueError):
    """What came is no message of the protocol."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelMessage:
    type: str  # a MessageType, or one that is not known here
    sequence: int = 0
    payload_type: int = PayloadType.NONE
    payload: bytes = b""
    flags: int = 0
    id: uuid.UUID


def encode(message: ChannelMessage, *, created_at: int) -> bytes:
    """`created_at` in milliseconds since the epoch."""
    header = _HEADER.pack(
        _HEADER.size,
        message.type.encode().ljust(32),
        _SCHEMA_VERSION,
        created_at,
        message.sequence,
        message.flags,
        _halves_swapped(message.id.bytes),
        hashlib.sha256(message.payload).digest(),
        message.payload_type,
    )
    return header + _LENGTH.pack(len(message.payload)) + message.payload


def decode(content: bytes) -> ChannelMessage:
    """Raises MalformedMessageError."""
    try:
        _, kind, _, _, sequence, flags, identifier, digest, payload_type = _HEADER.unpack_from(
            content
        )
        (length,) = _LENGTH.unpack_from(content, _HEADER.size)
        text = kind.decode("ascii").strip(" \0")
    except (struct.error, UnicodeDecodeError) as error:
        raise MalformedMessageError(str(error)) from error
    payload = content[_HEADER.size + _LENGTH.size :]
    if len(payload) != length:
        raise MalformedMessageError(f"{length} bytes were announced, {len(payload)} came")
    if payload and hashlib.sha256(payload).digest() != digest:
        raise MalformedMessageError("the payload does not have its digest")
    return ChannelMessage(
        type=text,
        sequence=sequence,
        payload_type=payload_type,
        payload=payload,
        flags=flags,
        id=uuid.UUID(bytes=_halves_swapped(identifier)),
    )


def acknowledge(message: ChannelMessage, *, new_id: uuid.UUID) -> ChannelMessage:
    content = {
        "AcknowledgedMessageType": message.type,
        "AcknowledgedMessageId": str(message.id),
        "AcknowledgedMessageSequenceNumber": message.sequence,
        "IsSequentialMessage": True,
    }
    return ChannelMessage(
        type=MessageType.ACKNOWLEDGE,
        payload=json.dumps(content).encode(),
        flags=_SYN_AND_FIN,
        id=new_id,
    )


def acknowledged_sequence(message: ChannelMessage) -> int | None:
    """The number that an acknowledgement is of; None where it says none."""
    number = _load_object(message.payload).get("AcknowledgedMessageSequenceNumber")
    return number if isinstance(number, int) else None


def terminal_size(payload: bytes) -> tuple[int, int] | None:
    """(columns, rows); None where they are no such numbers."""
    found = _load_object(payload)
    columns, rows = found.get("cols"), found.get("rows")
    if not isinstance(columns, int) or not isinstance(rows, int):
        return None
    return (columns, rows) if 0 < columns < 1 << 16 and 0 < rows < 1 << 16 else None


def token_of(text: str) -> str:
    """Of the first message of a client; "" where it has none."""
    token = _load_object(text.encode()).get("TokenValue")
    return token if isinstance(token, str) and token.isascii() else ""


def _load_object(content: bytes) -> dict[str, object]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _halves_swapped(identifier: bytes) -> bytes:
    """The lower half of a UUID goes first on the wire."""
    return identifier[8:] + identifier[:8]
